/** worker/media/script/lines.py, the same in TypeScript: where a text's lines break, and why. */

import {
  loadDefaultJapaneseParser,
  loadDefaultSimplifiedChineseParser,
  loadDefaultThaiParser,
  loadDefaultTraditionalChineseParser,
  type Parser,
} from 'budoux'
import type { EastAsian } from './language'

/** The characters `start` to `end` (not included) of a text. */
export type Slice = readonly [start: number, end: number]

const IS_WIDE =
  /[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u
const SPACES = ' \n\u200b'
const IS_THAI = /[\u0e01-\u0e5b]/u
const HAN_OR_KANA =
  /[\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3134f}]/u
const BURMESE = /[\u1000-\u1021\u1023-\u1027\u1029\u102a\u103f]/u
const KHMER = /[\u1780-\u17b3]/u
const ALPHABETS_END = '\u0900'
const NEVER_FIRST = new Set(
  '、。，．・：；？！）」』】〕〉》”’…‥ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ.,:;?!)]}%»',
)
const NEVER_LAST = new Set('（「『【〔〈《“‘([{«')
const JOINED = /[\u200d\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]/u
const REGIONAL = /[\u{1f1e6}-\u{1f1ff}]/u
const SENTENCE_END = new Set('.,:;!?…—、。，．：；！？،؛؟।၊။။')
const NEW_SPEAKER = /[-‐–—♪]/u
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u
const MARK = /[\p{Mn}\p{Mc}\p{Me}]/u
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u

export function breakLines(
  text: string[],
  columns: number,
  maxLines: number,
  language: EastAsian,
): Slice[] {
  const own = authorsLines(text)
  const widths = widthsOf(text)
  if (own.length <= maxLines && own.every(([a, b]) => sum(widths, a, b) <= columns)) return own
  const allowed = breaksIn(text, language)
  return paragraphs(text, own).flatMap(([start, end]) =>
    bestLines(text, start, end, columns, widths, allowed),
  )
}

function authorsLines(text: string[]): Slice[] {
  const lines: Slice[] = []
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    if (at === text.length || text[at] === '\n') {
      lines.push([start, at])
      start = at + 1
    }
  }
  return lines
}

/** Lines joined, but what another speaker says begins on a line of its own. */
function paragraphs(text: string[], lines: Slice[]): Slice[] {
  const joined: Slice[] = []
  for (const [start, end] of lines) {
    const last = joined.at(-1)
    if (last && !(start < end && NEW_SPEAKER.test(text[start] ?? ''))) {
      joined[joined.length - 1] = [last[0], end]
    } else joined.push([start, end])
  }
  return joined
}

/** What stands for the line break at `at` when its lines are joined. */
export function joint(text: string[], at: number): string {
  const [before, after] = [text[at - 1], text[at + 1]]
  return before && after && IS_WIDE.test(before) && IS_WIDE.test(after) ? '' : ' '
}

/** The width of each character of a text. */
export function widthsOf(text: string[]): number[] {
  return text.map((character, at) => {
    const width = character === '\n' ? joint(text, at).length : widthOf(character)
    return width === 2 && at && !mayPart(text, at) ? 0 : width
  })
}

function widthOf(character: string): number {
  if (character < '\u00ad') return 1
  if (IS_WIDE.test(character)) return 2
  return NO_WIDTH.test(character) ? 0 : 1
}

/** Whether a line may begin at each character. */
function breaksIn(text: string[], language: EastAsian): boolean[] {
  const breaks = text.map(() => false)
  const allow = (places: number[]) => {
    for (const at of places) breaks[at] = mayBreak(text, at)
  }
  for (const [start, end] of runs(text, 0, text.length, (c) => !SPACES.includes(c))) {
    breaks[start] = start > 0
    const chunk = text.slice(start, end)
    if (chunk.some((character) => HAN_OR_KANA.test(character))) {
      const model = language === 'ko' ? 'ja' : language
      allow(phrases(model, chunk).map((at) => start + at))
    }
    for (const [from, to] of runs(text, start, end, (c) => IS_THAI.test(c))) {
      allow(phrases('th', text.slice(from, to)).map((at) => from + at))
    }
    allow(syllables(text, start, end))
  }
  return breaks
}

/** The longest slices whose characters all pass. */
function runs(
  text: string[],
  start: number,
  end: number,
  passes: (character: string) => boolean,
): Slice[] {
  const found: Slice[] = []
  let from: number | undefined
  for (let at = start; at <= end; at++) {
    const inside = at < end && passes(text[at] ?? '')
    if (inside) from ??= at
    else if (from !== undefined) {
      found.push([from, at])
      from = undefined
    }
  }
  return found
}

/** Burmese: not before a letter that is stacked or silenced. Khmer: not a subscript. */
function syllables(text: string[], start: number, end: number): number[] {
  const places = []
  for (let at = start + 1; at < end; at++) {
    const [before, character, after] = [
      text[at - 1],
      text[at] ?? '',
      at + 1 < end ? text[at + 1] : '',
    ]
    const burmese =
      BURMESE.test(character) && before !== '\u1039' && after !== '\u1039' && after !== '\u103a'
    if (burmese || (KHMER.test(character) && before !== '\u17d2')) places.push(at)
  }
  return places
}

/** Whether a line may end before character `at`, inside a run without spaces. */
function mayBreak(text: string[], at: number): boolean {
  const [before, after] = [text[at - 1] ?? '', text[at] ?? '']
  const inWord =
    before < ALPHABETS_END &&
    after < ALPHABETS_END &&
    LETTER_OR_DIGIT.test(before) &&
    LETTER_OR_DIGIT.test(after)
  return !inWord && !NEVER_FIRST.has(after) && !NEVER_LAST.has(before) && mayPart(text, at)
}

/** Whether characters `at - 1` and `at` are no unit: a letter and its mark, an emoji. */
function mayPart(text: string[], at: number): boolean {
  const [before, after] = [text[at - 1] ?? '', text[at] ?? '']
  if (MARK.test(after) || JOINED.test(after)) return false
  if (REGIONAL.test(before) && REGIONAL.test(after)) {
    let flags = at
    while (flags && REGIONAL.test(text[flags - 1] ?? '')) flags--
    return (at - flags) % 2 === 0
  }
  return !'\u1039\u17d2\u200d'.includes(before)
}

/** The best lines of a slice: the fewest, then the most even ones. */
function bestLines(
  text: string[],
  start: number,
  end: number,
  columns: number,
  widths: number[],
  allowed: boolean[],
): Slice[] {
  const starts = [...lineStarts(text, start, end, columns, widths, allowed), end]
  // For every start of a line, the lines and the cost from there on, and where the next begins.
  const best = new Map<number, { lines: number; cost: number; following: number }>()
  best.set(end, { lines: 0, cost: 0, following: end })
  for (let n = starts.length - 2; n >= 0; n--) {
    const at = starts[n] ?? end
    for (const following of starts.slice(n + 1)) {
      const lineEnd = trimmed(text, at, following)
      const free = columns - sum(widths, at, lineEnd)
      if (free < 0) break
      const rest = best.get(following)
      if (!rest) continue
      const within = following < end && !SENTENCE_END.has(text[lineEnd - 1] ?? '')
      const lines = rest.lines + 1
      const cost = rest.cost + free * free + (within ? Math.floor((columns * columns) / 16) : 0)
      const known = best.get(at)
      if (!known || lines < known.lines || (lines === known.lines && cost < known.cost)) {
        best.set(at, { lines, cost, following })
      }
    }
  }
  const found: Slice[] = []
  for (let at = start; at < end; ) {
    const following = best.get(at)?.following ?? end
    found.push([at, trimmed(text, at, following)])
    at = following
  }
  return found
}

/** Where lines may begin: where it is allowed, and within words that are wider than a line. */
function lineStarts(
  text: string[],
  start: number,
  end: number,
  columns: number,
  widths: number[],
  allowed: boolean[],
): number[] {
  const starts = [start]
  let width = 0
  for (let at = start; at < end; at++) {
    const own = widths[at] ?? 0
    if (at > start && allowed[at]) {
      starts.push(at)
      width = 0
    } else if (width + own > columns && !SPACES.includes(text[at] ?? '')) {
      const cut = cutOf(text, starts.at(-1) ?? start, at)
      starts.push(cut)
      width = sum(widths, cut, at)
    }
    width += own
  }
  return starts
}

/** Where to cut a word that has no room: as late as may be, even within a letter if it must. */
function cutOf(text: string[], start: number, end: number): number {
  for (const fits of [mayBreak, mayPart]) {
    for (let at = end; at > start; at--) if (fits(text, at)) return at
  }
  return end
}

/** `end` without the spaces in front of it. */
function trimmed(text: string[], start: number, end: number): number {
  while (end > start + 1 && SPACES.includes(text[end - 1] ?? '')) end--
  return end
}

const LOADERS = {
  ja: loadDefaultJapaneseParser,
  'zh-hans': loadDefaultSimplifiedChineseParser,
  'zh-hant': loadDefaultTraditionalChineseParser,
  th: loadDefaultThaiParser,
}
const parsers = new Map<string, Parser>()

/** The places within a chunk where BudouX says that a phrase ends. */
function phrases(model: keyof typeof LOADERS, chunk: string[]): number[] {
  const parser = parsers.get(model) ?? LOADERS[model]()
  parsers.set(model, parser)
  return parser.parseBoundaries(chunk.map((c) => (c.length > 1 ? '\u3007' : c)).join(''))
}

export function sum(values: number[], start: number, end: number): number {
  let total = 0
  for (let at = start; at < end; at++) total += values[at] ?? 0
  return total
}
