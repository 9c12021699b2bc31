/**
 * One subtitle. Times in milliseconds; lines of the text are parted by `\n`; the tags `<i> <b> <u> <s>`
 * and `<font color="#RRGGBB">` may stand in it.
 */
export interface Cue {
  start: number
  end: number
  text: string
  /** When each word is spoken, for highlighting. */
  words?: Word[]
}

export interface Word {
  start: number
  end: number
  text: string
}

/** The look of subtitles: every field of docs/options.md is optional. */
export type Style = Record<string, unknown>
