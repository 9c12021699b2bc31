/** worker/media/script/event_text.py, the same in TypeScript: the text of one event of an ASS script. */

import type { FullStyle } from '../../service/types'
import type { Look, ScriptCue, ScriptWord } from './ass'
import { marksFor } from './bidi'
import { BASE, type Face, FOLLOWS_EMOJI } from './faces'
import { joint, type Slice } from './lines'

export const LAST_CENTISECOND = 35_999_999
/** Invisible, and a letter of Mongolian: libass joins an emoji only to what is in its script. */
const SCRIPT_FOR_EMOJI = '\u180e'
const ESCAPES: Record<string, string> = { '{': '\\{', '}': '\\}', '\\': '\\\u2060' }

/** How one character is drawn. `word` is the number of the word it belongs to, if any. */
interface Ink {
  face: Face
  bold: boolean
  italic: boolean
  underline: boolean
  strike: boolean
  color: string
  word: number | null
}

/** A word within a text: its times, and where its characters are. */
export interface PlacedWord extends ScriptWord {
  from: number
  to: number
}

/** Some lines of a cue, shown between two centiseconds; `size` is the style's in pixels. */
export function writeText(
  cue: ScriptCue,
  lines: readonly Slice[],
  faces: readonly Face[],
  style: FullStyle,
  size: number,
  first: number,
  last: number,
): string {
  const words = highlighted(cue, lines, style)
  const spoken = highlightOf(style, words, first, last)
  const inks = inksOf(cue, faces, style, words)
  let ink: Ink = {
    face: BASE,
    bold: style.bold,
    italic: style.italic,
    underline: false,
    strike: false,
    color: style.color,
    word: null,
  }
  const marks = marksFor(cue.text, lines)
  let text = ''
  lines.forEach(([start, end], number) => {
    if (number) text += '\\N'
    for (let at = start; at < end; at++) {
      const own = cue.text[at] ?? ''
      const character = own === '\n' ? joint(cue.text, at) : own
      const next = inks[at]
      if (!character || !next) continue
      const commands = changes(ink, next, style, size) + spoken(ink, next)
      ink = next
      text += (marks.before.get(at) ?? '') + (commands && `{${commands}}`)
      text += (ESCAPES[character] ?? character) + (marks.after.get(at) ?? '')
    }
  })
  return hasOnlyJoinedEmoji(cue.text, lines) ? text + SCRIPT_FOR_EMOJI : text
}

function hasOnlyJoinedEmoji(text: readonly string[], lines: readonly Slice[]): boolean {
  const shown = lines.flatMap(([start, end]) => text.slice(start, end)).join('')
  return FOLLOWS_EMOJI.test(shown) && !/\p{L}/u.test(shown)
}

export function centiseconds(milliseconds: number): number {
  return Math.min(Math.floor(milliseconds / 10 + 0.5), LAST_CENTISECOND)
}

/** Two decimals at most, without trailing zeros. */
export function decimal(value: number): string {
  const hundredths = Math.floor(value * 100 + 0.5)
  const rest = hundredths % 100
  const fraction = rest ? `.${String(rest).padStart(2, '0')}`.replace(/0+$/, '') : ''
  return `${Math.floor(hundredths / 100)}${fraction}`
}

/** `#RRGGBBAA` (AA = opacity) as `BBGGRR` and `AA` (transparency). */
export function assColor(web: string): [rgb: string, alpha: string] {
  const upper = web.toUpperCase()
  const transparency = 255 - Number.parseInt(upper.slice(7) || 'FF', 16)
  const alpha = transparency.toString(16).toUpperCase().padStart(2, '0')
  return [upper.slice(5, 7) + upper.slice(3, 5) + upper.slice(1, 3), alpha]
}

/** The words that are found in the text, each behind the one before. */
export function wordsIn(text: string[], words: readonly ScriptWord[]): PlacedWord[] {
  const found: PlacedWord[] = []
  let at = 0
  for (const word of words) {
    const from = word.text.length ? indexOf(text, word.text, at) : -1
    if (from < 0) continue
    at = from + word.text.length
    found.push({ ...word, from, to: at })
  }
  return found
}

function indexOf(text: string[], wanted: string[], start: number): number {
  for (let at = start; at + wanted.length <= text.length; at++) {
    if (wanted.every((character, offset) => text[at + offset] === character)) return at
  }
  return -1
}

/** The words within the lines, if the style highlights any. */
function highlighted(cue: ScriptCue, lines: readonly Slice[], style: FullStyle): PlacedWord[] {
  const [begin, stop] = [lines[0]?.[0] ?? 0, lines.at(-1)?.[1] ?? 0]
  if (style.highlight === 'none') return []
  return wordsIn(cue.text, cue.words).filter(({ from }) => begin <= from && from < stop)
}

function inksOf(
  cue: ScriptCue,
  faces: readonly Face[],
  style: FullStyle,
  words: PlacedWord[],
): Ink[] {
  const looks: Look[] = cue.text.map(() => ({}))
  for (const span of cue.spans) looks.fill(span.look, span.start, span.end)
  const numbers: (number | null)[] = cue.text.map(() => null)
  words.forEach(({ from, to }, number) => {
    numbers.fill(number, from, to)
  })
  const fill = style.highlight === 'fill' && words.length ? style.highlight_color : undefined
  const alpha = style.color.slice(7)
  return looks.map((look, at) => ({
    face: faces[at] ?? BASE,
    bold: look.bold ?? style.bold,
    italic: look.italic ?? style.italic,
    underline: look.underline ?? false,
    strike: look.strike ?? false,
    color: fill ?? (look.color ? look.color + alpha : style.color),
    word: numbers[at] ?? null,
  }))
}

/** The commands that lead from one character's ink to the next one's. */
function changes(before: Ink, ink: Ink, style: FullStyle, size: number): string {
  const flag = (letter: string, key: 'bold' | 'italic' | 'underline' | 'strike') =>
    ink[key] === before[key] ? '' : `\\${letter}${Number(ink[key])}`
  return [
    ink.face.family === before.face.family ? '' : `\\fn${ink.face.family ?? style.font}`,
    ink.face.percent === before.face.percent
      ? ''
      : `\\fs${decimal((size * ink.face.percent) / 100)}`,
    flag('b', 'bold'),
    flag('i', 'italic'),
    flag('u', 'underline'),
    flag('s', 'strike'),
    ink.color === before.color ? '' : color(ink.color),
  ].join('')
}

function color(web: string): string {
  const [rgb, alpha] = assColor(web)
  return `\\1c&H${rgb}&\\1a&H${alpha}&`
}

/** What is to stand between two characters for the sake of a highlight. */
type Highlight = (before: Ink, ink: Ink) => string

function highlightOf(
  style: FullStyle,
  words: PlacedWord[],
  first: number,
  last: number,
): Highlight {
  if (words.length === 0) return () => ''
  return style.highlight === 'word' ? byWord(style, words, first, last) : byFill(words, first)
}

/** The word that is being spoken has another colour. */
function byWord(style: FullStyle, words: PlacedWord[], first: number, last: number): Highlight {
  return (before, ink) => {
    if (ink.word === before.word) return ''
    const back = color(ink.color)
    const word = ink.word === null ? undefined : words[ink.word]
    if (!word) return back
    const [start, end] = [word.start - first * 10, word.end - first * 10]
    const bright = color(style.highlight_color)
    const on = start > 0 ? `${back}\\t(${start},${start},${bright})` : bright
    return on + (end < (last - first) * 10 ? `\\t(${end},${end},${back})` : '')
  }
}

/** A colour runs through the words. ASS counts each length from the end of the one before. */
function byFill(words: PlacedWord[], first: number): Highlight {
  let cursor = 0
  let begun = false
  const advance = (milliseconds: number) => {
    const to = Math.max(cursor, centiseconds(milliseconds) - first)
    const step = to - cursor
    cursor = to
    return step
  }
  return (before, ink) => {
    if (begun && ink.word === before.word) return ''
    begun = true
    const word = ink.word === null ? undefined : words[ink.word]
    if (!word) {
      const following = words[before.word === null ? 0 : before.word + 1]
      return following ? `\\k${advance(following.start)}` : '\\k0'
    }
    const gap = advance(word.start)
    return `${gap ? `\\k${gap}` : ''}\\kf${advance(word.end)}`
  }
}
