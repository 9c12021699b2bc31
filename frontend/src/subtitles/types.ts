/** One subtitle; times in seconds. Text may hold line breaks and the tags `<i> <b> <u> <s> <font color>`. */
export interface Cue {
  start: number
  end: number
  text: string
  words?: Word[]
}

export interface Word {
  start: number
  end: number
  text: string
}

/** The look of subtitles: every field of docs/options.md is optional. */
export type Style = Record<string, unknown>
