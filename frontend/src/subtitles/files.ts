/**
 * Subtitle files in and out: SRT and WebVTT become cues as worker/media/subtitles/timed_text.py reads them. The
 * worker reads more (other charsets, ASS); what is not understood here can still be sent as it is.
 */

import type { Cue as JsonCue, Word } from '../service/types'
import { fileTime } from './clock'
import { fromJson } from './json'
import type { Cue } from './types'

export type Imported =
  | { kind: 'cues'; cues: Cue[] }
  /** Brings its own look and is not edited here. */
  | { kind: 'styled'; text: string }

export class ImportError extends Error {
  override readonly name = 'ImportError'
}

const TIME = String.raw`(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:[.,:](\d+))?`
const TIMING = new RegExp(String.raw`^\s*${TIME}\s*-+>\s*${TIME}(?!\d)`)
const WESTERN = 'windows-1252'
const COMMENT = /^(WEBVTT|NOTE|STYLE|REGION)(\s|$)/

/** Raises `ImportError` with a sentence for the user. */
export async function importSubtitles(file: Blob): Promise<Imported> {
  const text = (await decode(await file.arrayBuffer()))
    .replace(/\r\n?/g, '\n')
    .replace(/^\ufeff/, '')
  if (/^\[V4\+? Styles\]/im.test(text) && /^\s*Dialogue\s*:/im.test(text)) {
    return { kind: 'styled', text }
  }
  const cues = /^\s*[[{]/.test(text) && !text.includes('-->') ? readJson(text) : readTimed(text)
  if (cues.length === 0) throw new ImportError('There are no subtitles in this file.')
  return { kind: 'cues', cues }
}

function readTimed(text: string): Cue[] {
  return /^\s*WEBVTT(\s|$)/.test(text) ? readVtt(text) : readSrt(text)
}

/** A list of cues, or an object that holds it as `cues` or, as speech recognisers do, `segments`. */
function readJson(text: string): Cue[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ImportError('The file is no valid JSON.')
  }
  const held = value as { cues?: unknown; segments?: unknown }
  const list = Array.isArray(value) ? value : (held.cues ?? held.segments)
  if (!Array.isArray(list)) throw new ImportError('The file holds no list of cues.')
  return list.map((item: Partial<JsonCue>, index) => {
    const { start, end, text: said, words, position } = item ?? {}
    if (typeof start !== 'number' || typeof end !== 'number' || typeof said !== 'string') {
      throw new ImportError(`Cue ${index + 1} lacks its start, its end or its text.`)
    }
    const named = words?.map((word) => ({
      ...word,
      text: word.text ?? (word as Partial<Recognised>).word ?? '',
    }))
    return fromJson({
      start,
      end,
      text: said.trim(),
      words: named ?? null,
      position: position ?? null,
    })
  })
}

/** What speech recognisers call the text of a word. */
interface Recognised extends Word {
  word: string
}

/** UTF-8, UTF-16 with its mark, else a guess by how frequent letters are in each language. */
async function decode(bytes: ArrayBuffer): Promise<string> {
  const [first, second] = new Uint8Array(bytes)
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const { detect } = await import('chardet')
    return decoderOf(detect(new Uint8Array(bytes))).decode(bytes)
  }
}

function decoderOf(charset: string | null): TextDecoder {
  try {
    return new TextDecoder(charset ?? WESTERN)
  } catch {
    return new TextDecoder(WESTERN)
  }
}

export function readSrt(text: string): Cue[] {
  const lines = text.split('\n')
  return blocks(lines).map(({ start, end, body, last }) => {
    const numbered = !last && /^\s*\d+\s*$/.test(body.at(-1) ?? '')
    const own = numbered ? body.slice(0, -1) : body
    return { start, end, text: own.join('\n').trim() }
  })
}

export function readVtt(text: string): Cue[] {
  return blocks(withoutComments(text.split('\n'))).map(({ start, end, body }) => {
    const blank = body.findIndex((line) => !line.trim())
    const own = blank < 0 ? body : body.slice(0, blank)
    return { start, end, text: own.join('\n').trim() }
  })
}

interface Block {
  start: number
  end: number
  body: string[]
  last: boolean
}

/** What stands between one line of times and the next. */
function blocks(lines: string[]): Block[] {
  const timings = lines.flatMap((line, at) => {
    if (!line.includes('-->')) return []
    const match = TIMING.exec(line)
    if (!match) throw new ImportError(`Line ${at + 1} can't be read: “${line.trim()}”.`)
    const [, ...times] = match
    return [{ at, start: milliseconds(times.slice(0, 4)), end: milliseconds(times.slice(4, 8)) }]
  })
  return timings.map(({ at, start, end }, index) => {
    const next = timings[index + 1]?.at
    return { start, end, body: lines.slice(at + 1, next), last: next === undefined }
  })
}

function milliseconds([hours, minutes, seconds, fraction]: (string | undefined)[]): number {
  const whole = (Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)
  return whole * 1000 + Math.round(Number(`0.${fraction ?? 0}`) * 1000)
}

/** The same lines with headers, notes, style sheets and regions made blank. */
function withoutComments(lines: string[]): string[] {
  let blank = true
  let comment = false
  return lines.map((line) => {
    if (blank) comment = COMMENT.test(line)
    blank = !line.trim()
    return comment ? '' : line
  })
}

export function writeSrt(cues: Cue[]): string {
  return cues
    .map(({ start, end, text }, index) => {
      const times = `${fileTime(start, ',')} --> ${fileTime(end, ',')}`
      return `${index + 1}\n${times}\n${withoutBlankLines(text)}\n`
    })
    .join('\n')
}

function withoutBlankLines(text: string): string {
  return text.replace(/\n\s*\n/g, '\n').trim()
}
