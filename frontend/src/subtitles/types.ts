import type { Position, Word } from '../service/types'

/** One subtitle in the editor. Times in milliseconds; lines of the text are parted by `\n`. */
export interface Cue {
  start: number
  end: number
  text: string
  words?: Word[]
  position?: Position
}
