/**
 * What a request says, as the schemas in supabase/functions/_shared have it (the worker owns them).
 */

/** A subtitle; times in seconds. Plain text: lines are parted by `\n`. */
export interface Cue {
  start: number
  end: number
  text: string
  /** When each word is spoken, for `style.highlight`. */
  words?: Word[] | null
  /** Where this one stands, if not where the style says. */
  position?: Position | null
}

export interface Word {
  start: number
  end: number
  text: string
}

export const POSITIONS = [
  'bottom-left',
  'bottom-center',
  'bottom-right',
  'middle-left',
  'middle-center',
  'middle-right',
  'top-left',
  'top-center',
  'top-right',
] as const

export type Position = (typeof POSITIONS)[number]

/** The look of subtitles with every field given: docs/options.md says what each is. */
export interface FullStyle {
  font: string
  size: number
  color: string
  bold: boolean
  italic: boolean
  letter_spacing: number
  outline: number
  outline_color: string
  shadow: number
  shadow_color: string
  box_color: string | null
  box_padding: number
  position: Position
  margin_horizontal: number
  margin_vertical: number
  max_characters: number
  max_lines: number | null
  highlight: 'none' | 'fill' | 'word'
  highlight_color: string
}

/** The rest of a job's options that a page may offer: docs/options.md has them all. */
export interface Options {
  language?: string | null
  audio_track?: number | null
  soft_track?: boolean
  sidecars?: ('srt' | 'vtt')[]
  quality?: 'draft' | 'standard' | 'high'
}

/** What is left out has its default. */
export type Style = Partial<FullStyle>
