/** Cues between the editor (milliseconds) and a request (seconds). */

import type { Cue as JsonCue, Word } from '../service/types'
import type { Cue } from './types'

export function fromJson(cue: JsonCue): Cue {
  return {
    start: milliseconds(cue.start),
    end: milliseconds(cue.end),
    text: cue.text,
    ...(cue.words?.length && { words: cue.words.map((word) => scaled(word, milliseconds)) }),
    ...(cue.position && { position: cue.position }),
  }
}

export function toJson({ start, end, text, words, position }: Cue): JsonCue {
  return {
    start: start / 1000,
    end: end / 1000,
    text,
    ...(words?.length && { words: words.map((word) => scaled(word, (time) => time / 1000)) }),
    ...(position && { position }),
  }
}

function scaled({ start, end, text }: Word, scale: (time: number) => number): Word {
  return { start: scale(start), end: scale(end), text }
}

function milliseconds(seconds: number): number {
  return Math.floor(seconds * 1000 + 0.5)
}
