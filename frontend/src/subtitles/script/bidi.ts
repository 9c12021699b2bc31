/** worker/media/script/bidi.py, the same in TypeScript: marks of direction for text of both directions. */

import type { Slice } from './lines'

const [LEFT, RIGHT] = ['\u200e', '\u200f']
const FROM_THE_RIGHT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
const BRACKETS: Record<string, string> = { ')': '(', ']': '[', '}': '{' }

/** What is to stand before and after characters, by their index. */
export interface Marks {
  before: Map<number, string>
  after: Map<number, string>
}

/** The marks for some lines of a text; none if nothing in it runs from the right. */
export function marksFor(text: readonly string[], lines: readonly Slice[]): Marks {
  const marks: Marks = { before: new Map(), after: new Map() }
  if (!text.some((character) => FROM_THE_RIGHT.test(character))) return marks
  for (const [start, end] of lines) {
    const direction = directionOf(text, start, end)
    if ((first(text.slice(start, end)) || LEFT) !== direction) marks.before.set(start, direction)
    pairBrackets(text, start, end, direction, marks)
  }
  return marks
}

function directionOf(text: readonly string[], start: number, end: number): string {
  const begin = text.slice(0, start).lastIndexOf('\n') + 1
  const stop = text.indexOf('\n', end)
  const author = text.slice(begin, stop >= 0 ? stop : undefined)
  const whole = first(text)
  if (whole === RIGHT && author.some((character) => strong(character) === RIGHT)) return RIGHT
  return first(author) || whole || LEFT
}

/** Both of a pair run as the line does, unless all in it, and the letter before it, do not. */
function pairBrackets(
  text: readonly string[],
  start: number,
  end: number,
  direction: string,
  marks: Marks,
): void {
  const opened: number[] = []
  for (let at = start; at < end; at++) {
    const character = text[at] ?? ''
    const last = opened.at(-1)
    if (Object.values(BRACKETS).includes(character)) {
      opened.push(at)
    } else if (last !== undefined && text[last] === BRACKETS[character]) {
      opened.pop()
      const inside = text.slice(last, at).map(strong).filter(Boolean)
      if (inside.every((one) => one === direction)) continue
      const before = first(text.slice(start, last).reverse())
      if (inside.includes(direction) || before === '' || before === direction) {
        marks.before.set(last, direction)
        marks.after.set(at, direction)
      } else {
        marks.after.set(at, direction === RIGHT ? LEFT : RIGHT)
      }
    }
  }
}

/** The direction of a letter or a mark; nothing for what takes that of its neighbours. */
function strong(character: string): string {
  if (character === LEFT || character === RIGHT) return character
  if (!/\p{L}/u.test(character)) return ''
  return FROM_THE_RIGHT.test(character) ? RIGHT : LEFT
}

function first(text: readonly string[]): string {
  return text.map(strong).find(Boolean) ?? ''
}
