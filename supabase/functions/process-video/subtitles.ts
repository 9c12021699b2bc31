/** The subtitle file of a job, made from what the request holds. */

import { createHash } from 'node:crypto'
import { Problem } from '../_shared/problem.ts'
import type { Cue } from './request.ts'

export interface SubtitleFile {
  /** Named by its content: the same subtitles are the same file, and so the same job. */
  name: string
  content: Blob
}

/**
 * Which format a text is in, and whether every cue of it can be read, is for the worker to say, which
 * goes by the content too. Refused is only what can't be any.
 *
 * Throws `subtitles_empty` and `subtitles_unreadable`.
 */
export function makeSubtitleFile(
  cues: Cue[] | undefined,
  text: string | undefined,
): SubtitleFile {
  if (cues) {
    if (cues.every((cue) => !cue.text.trim())) throw new Problem('subtitles_empty')
    return named('json', 'application/json', JSON.stringify(cues))
  }
  if (!text?.trim()) throw new Problem('subtitles_empty')
  // Times are written with the one, or the other stands between them.
  if (!/:|-->/.test(text)) {
    throw new Problem('subtitles_unreadable', { reason: 'no line in it looks like a time' })
  }
  return named('txt', 'text/plain', text)
}

function named(suffix: string, type: string, content: string): SubtitleFile {
  const bytes = new TextEncoder().encode(content)
  const digest = createHash('sha256').update(bytes).digest('hex')
  return { name: `${digest}.${suffix}`, content: new Blob([bytes], { type }) }
}
