/** The subtitle file of a job, made from what the request holds. */

import { createHash } from 'node:crypto'
import { Problem } from '../_shared/problem.ts'
import type { Cue } from './request.ts'

export interface SubtitleFile {
  /** Named by its content: the same subtitles are the same file, and so the same job. */
  name: string
  content: Blob
}

/** Throws `subtitles_empty` and `subtitles_unreadable`; what else may be wrong, the worker says. */
export function makeSubtitleFile(
  cues: Cue[] | undefined,
  text: string | undefined,
): SubtitleFile {
  const isEmpty = cues ? cues.every((cue) => !cue.text.trim()) : !text?.trim()
  if (isEmpty) throw new Problem('subtitles_empty')
  const [type, content] = cues ? ['json', JSON.stringify(cues)] : [formatOf(text!), text!]
  const bytes = new TextEncoder().encode(content)
  return {
    name: `${createHash('sha256').update(bytes).digest('hex')}.${type}`,
    content: new Blob([bytes], { type: CONTENT_TYPES[type as Format] }),
  }
}

const CONTENT_TYPES = {
  ass: 'text/x-ssa',
  json: 'application/json',
  srt: 'application/x-subrip',
  ssa: 'text/x-ssa',
  vtt: 'text/vtt',
}

type Format = keyof typeof CONTENT_TYPES

/** By what the worker will read, which goes by the content too: worker/media/subtitles.py. */
export function formatOf(text: string): Format {
  if (/^\ufeff?\s*WEBVTT(\s|$)/.test(text)) return 'vtt'
  if (!text.includes('-->') || /^\s*Dialogue\s*:/m.test(text)) {
    if (/^\s*\[V4\+ Styles\]/im.test(text)) return 'ass'
    if (/^\s*\[V4 Styles\]/im.test(text)) return 'ssa'
  }
  if (text.includes('-->')) return 'srt'
  throw new Problem('subtitles_unreadable', { reason: 'no line in it looks like a time' })
}
