/**
 * worker/media/subtitles/markup.py, the same in TypeScript as far as SRT goes: known tags become looks, known
 * commands (`{\an8}`, `{\i1}`) too, and everything else is text. tests/vectors/markup holds both.
 */

import { POSITIONS, type Position } from '../../service/types'
import type { Cue } from '../types'
import type { Look, ScriptCue, Span } from './ass'
import { COLOURS } from './colours'
import { printable, trimmedLines } from './text'

const TAGS = new Map<string, Look>([
  ['i', { italic: true }],
  ['em', { italic: true }],
  ['b', { bold: true }],
  ['strong', { bold: true }],
  ['u', { underline: true }],
  ['s', { strike: true }],
  ['strike', { strike: true }],
  ['del', { strike: true }],
  ...['font', 'span', 'p', 'div', 'c', 'v', 'lang', 'ruby', 'rt', 'br'].map(
    (tag): [string, Look] => [tag, {}],
  ),
])
/** What stands where a tag opens and closes. */
const OPENING: Record<string, string> = { br: '\n', rt: '(' }
const CLOSING: Record<string, string> = { rt: ')' }
const TOKEN =
  /<(?<end>\/?)\s*(?<tag>[a-zA-Z]+)(?<rest>[^<>]*)>|<(?:\d+:)?\d{1,2}:\d{1,2}\.\d{1,3}>|(?<override>\{\\[^{}]*\})|(?<entity>&(?:\w+|#\d+|#x[0-9a-fA-F]+);)/gu
const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&nbsp;': '\u00a0',
  '&quot;': '"',
  '&apos;': "'",
  '&#39;': "'",
  '&#62;': '>',
  '&#123;': '{',
}
const COLOUR_ATTRIBUTE = /\bcolor\s*[=:]\s*["']?\s*([#\w]+(?:\([\d, ]*\))?)/i
const COMMAND =
  /\\(?:(?<align>an?)(?<number>\d+)|(?<letter>[ibus])(?<flag>[01])(?![0-9])|1?c&H(?<bgr>[0-9a-fA-F]{6})&)/gu
const SWITCHES = { i: 'italic', b: 'bold', u: 'underline', s: 'strike' } as const

type Character = readonly [character: string, look: Look]

/** A cue whose text is that of an SRT file. */
export function markedCue(cue: Cue): ScriptCue {
  const { characters, position } = read(cue.text)
  return {
    start: cue.start,
    end: cue.end,
    text: characters.map(([character]) => character),
    spans: spansOf(characters),
    words: [],
    position,
  }
}

function read(markup: string): { characters: Character[]; position: Position | null } {
  const characters: Character[] = []
  const open: { tag: string; before: Look }[] = []
  let look: Look = {}
  let position: Position | null = null
  const add = (text: string) => {
    for (const character of printable(text)) characters.push([character, look])
  }

  const turn = (tag: string, rest: string, closes: boolean) => {
    if (!closes) {
      add(OPENING[tag] ?? '')
      open.push({ tag, before: look })
      look = { ...look, ...TAGS.get(tag), ...colourIn(rest) }
      return
    }
    const at = open.findLastIndex((other) => other.tag === tag)
    const opened = open[at]
    if (!opened) return
    look = opened.before
    open.length = at
    add(CLOSING[tag] ?? '')
  }

  const command = ({ align, number, letter, flag, bgr }: Record<string, string | undefined>) => {
    if (align) position = aligned(align, Number(number)) ?? position
    else if (letter) {
      const { [SWITCHES[letter as keyof typeof SWITCHES]]: _, ...others } = look
      look = flag === '1' ? { ...look, [SWITCHES[letter as keyof typeof SWITCHES]]: true } : others
    } else if (bgr) {
      look = {
        ...look,
        color: `#${bgr.slice(4)}${bgr.slice(2, 4)}${bgr.slice(0, 2)}`.toUpperCase(),
      }
    }
  }

  let at = 0
  for (const match of markup.matchAll(TOKEN)) {
    add(markup.slice(at, match.index))
    at = match.index + match[0].length
    const { end, tag, rest, override, entity } = match.groups ?? {}
    if (override) for (const found of override.matchAll(COMMAND)) command(found.groups ?? {})
    else if (entity && entity in ENTITIES) add(ENTITIES[entity] ?? '')
    else if (tag && TAGS.has(tag.toLowerCase())) turn(tag.toLowerCase(), rest ?? '', Boolean(end))
    else add(match[0])
  }
  add(markup.slice(at))
  return { characters: trimmed(characters), position }
}

/** Without the empty space around the lines; a line break keeps its look. */
function trimmed(characters: Character[]): Character[] {
  const text = characters.map(([character]) => character)
  return trimmedLines(text).flatMap(([start, end], number) => {
    const line = characters.slice(start, end)
    const broken = characters[text.lastIndexOf('\n', start - 1)]
    return number && broken ? [broken, ...line] : line
  })
}

function spansOf(characters: Character[]): Span[] {
  const spans: (Span & { key: string })[] = []
  characters.forEach(([, look], at) => {
    const key = JSON.stringify(Object.entries(look).sort())
    const last = spans.at(-1)
    if (last?.end === at && last.key === key) last.end++
    else if (key !== '[]') spans.push({ start: at, end: at + 1, look, key })
  })
  return spans.map(({ key: _, ...span }) => span)
}

/** The look of a colour attribute, if it names a known colour. */
function colourIn(attributes: string): Look {
  const value = COLOUR_ATTRIBUTE.exec(attributes)?.[1]
  const color = value && colour(value)
  return color ? { color } : {}
}

function colour(given: string): string | undefined {
  const value = given.trim().toLowerCase()
  const long = /^#?([0-9a-f]{6})(?:[0-9a-f]{2})?$/.exec(value)?.[1]
  if (long) return `#${long}`.toUpperCase()
  const short = /^#([0-9a-f]{3})$/.exec(value)?.[1]
  if (short) return `#${[...short].map((digit) => digit + digit).join('')}`.toUpperCase()
  const parts = /^rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})/.exec(value)?.slice(1)
  const hex = (part: string) => Math.min(Number(part), 255).toString(16).padStart(2, '0')
  return parts ? `#${parts.map(hex).join('')}`.toUpperCase() : COLOURS.get(value)
}

/** `\an1` to `\an9` as on a number pad, `\a1` to `\a11` as SSA had it. */
function aligned(command: string, number: number): Position | undefined {
  const legacy = command === 'a' && number >= 1 && number <= 11 && number % 4 !== 0
  const row = { 0: 0, 4: 2, 8: 1 }[number & 12] ?? 0
  return POSITIONS[(legacy ? row * 3 + (number & 3) : number) - 1]
}
