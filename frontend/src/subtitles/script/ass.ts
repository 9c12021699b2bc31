/**
 * worker/media/script/ass.py, the same in TypeScript: the ASS script that the worker burns, so that the
 * preview is the result. The rules are in its docstring; tests/vectors hold both to the same bytes.
 */

import { type FullStyle, POSITIONS, type Position, type Style } from '../../service/types'
import { withDefaults } from '../style'
import type { Cue } from '../types'
import { assColor, centiseconds, decimal, LAST_CENTISECOND, wordsIn, writeText } from './eventText'
import { facesOf } from './faces'
import { type EastAsian, eastAsian } from './language'
import { breakLines, type Slice, sum, widthsOf } from './lines'
import { clean } from './text'

/** How a part of a text differs from the style. `color` is `#RRGGBB`. */
export interface Look {
  bold?: boolean
  italic?: boolean
  underline?: boolean
  strike?: boolean
  color?: string
}

export interface Span {
  start: number
  end: number
  look: Look
}

export interface ScriptWord {
  start: number
  end: number
  text: string[]
}

/** A cue as the writer wants it: texts as lists of code points, since Python counts those. */
export interface ScriptCue {
  start: number
  end: number
  text: string[]
  spans: readonly Span[]
  words: readonly ScriptWord[]
  position: Position | null
}

const [COLUMN, BOLD_COLUMN] = [0.4, 0.43]
const FEWEST_COLUMNS = 4
const STYLE_FIELDS =
  'Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, ' +
  'Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, ' +
  'Alignment, MarginL, MarginR, MarginV, Encoding'
const EVENT_FIELDS = 'Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text'
const DEFAULT_FONT = withDefaults({}).font

/** A style in the pixels of one picture. */
interface Canvas {
  style: FullStyle
  width: number
  height: number
  size: number
  spacing: number
  padding: number
  marginHorizontal: number
  marginVertical: number
}

const written = new WeakMap<ScriptCue, { context: string; events: string[] }>()

/** The script for a picture of `width` x `height` displayed pixels. */
export function writeScript(
  cues: readonly ScriptCue[],
  given: Style,
  width: number,
  height: number,
  language: string | null = null,
): string {
  const canvas = canvasOf(withDefaults(given), width, height)
  // What a cue becomes depends on no other cue: while one is edited, the others are known.
  const context = JSON.stringify([canvas.style, width, height])
  const spoken = eastAsian(cues.map((cue) => cue.text.join('')).join('\n'), language)
  const events = cues
    .filter((cue) => cue.text.length && cue.end > cue.start)
    .flatMap((cue) => {
      const known = written.get(cue)
      if (known?.context === context + spoken) return known.events
      const events = eventsOf(cue, canvas, spoken)
      written.set(cue, { context: context + spoken, events })
      return events
    })
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    `PlayResX: ${width}`,
    `PlayResY: ${height}`,
    'WrapStyle: 0',
    'ScaledBorderAndShadow: yes',
    'YCbCr Matrix: None',
    '',
    '[V4+ Styles]',
    `Format: ${STYLE_FIELDS}`,
    styleLine(canvas),
    '',
    '[Events]',
    `Format: ${EVENT_FIELDS}`,
    ...events,
    '',
  ].join('\n')
}

/** A cue of the JSON schema, but for its times, as the writer wants it: worker/media/subtitles/json_cues.py. */
export function plainCue(cue: Cue): ScriptCue {
  return {
    start: cue.start,
    end: cue.end,
    text: [...clean(cue.text)],
    spans: [],
    words: (cue.words ?? []).map((word) => ({ ...word, text: [...clean(word.text)] })),
    position: cue.position ?? null,
  }
}

function canvasOf(style: FullStyle, width: number, height: number): Canvas {
  const unit = Math.min(width, height) / 100
  const size = style.size * unit
  const padding = style.box_color ? (style.box_padding * size) / 100 : 0
  const around = style.box_color ? padding + (style.outline * size) / 100 : 0
  return {
    style,
    width,
    height,
    size,
    spacing: (style.letter_spacing * size) / 100,
    padding,
    marginHorizontal: pixels(style.margin_horizontal * unit + around),
    marginVertical: pixels(style.margin_vertical * unit + around),
  }
}

/** How many characters a line has room for between the margins. */
function columnsOf({ style, size, spacing, width, marginHorizontal }: Canvas): number {
  const column = size * (style.bold ? BOLD_COLUMN : COLUMN) + spacing
  const room = Math.floor((width - marginHorizontal - marginHorizontal) / column)
  return Math.max(FEWEST_COLUMNS, Math.min(style.max_characters, room))
}

/** How many lines have room, whose largest letters have `percent` of the size. */
function linesOf({ style, size, height, marginVertical }: Canvas, percent: number): number {
  const room = Math.floor((height - 2 * marginVertical) / ((size * percent) / 100))
  return Math.max(1, Math.min(style.max_lines || room, room))
}

function styleLine(canvas: Canvas): string {
  const { style, size } = canvas
  const shadow = (style.shadow * size) / 100
  const fields = [
    'Default',
    style.font,
    decimal(size),
    styleColor(style.color),
    styleColor(style.color),
    styleColor(style.outline_color),
    styleColor(style.box_color || style.shadow_color),
    style.bold ? '-1' : '0',
    style.italic ? '-1' : '0',
    '0',
    '0',
    '100',
    '100',
    decimal(canvas.spacing),
    '0',
    style.box_color ? '4' : '1',
    decimal((style.outline * size) / 100),
    decimal(style.box_color ? canvas.padding : shadow),
    alignment(style.position),
    canvas.marginHorizontal,
    canvas.marginHorizontal,
    canvas.marginVertical,
    '-1',
  ]
  return `Style: ${fields.join(',')}`
}

/** The events of one cue: more than one if its lines have no room at once. */
function eventsOf(cue: ScriptCue, canvas: Canvas, language: EastAsian): string[] {
  const { style, size } = canvas
  const faces = facesOf(cue.text, language, style.font === DEFAULT_FONT)
  const most = linesOf(canvas, Math.max(...faces.map((face) => face.percent)))
  const lines = breakLines(cue.text, columnsOf(canvas), most, language)
  const { marginHorizontal: side, marginVertical: vertical } = canvas
  const margins = cue.position ? `${side},${side},${vertical}` : '0,0,0'
  const position = cue.position ? `{\\an${alignment(cue.position)}}` : ''
  return timesOf(cue, partsOf(lines, most)).map(({ part, start, end }) => {
    const first = centiseconds(start)
    const last = Math.max(centiseconds(end), Math.min(first + 1, LAST_CENTISECOND))
    const text = writeText(cue, part, faces, style, size, first, last)
    const times = `${timestamp(first)},${timestamp(last)}`
    return `Dialogue: 0,${times},Default,,${margins},,${position}${text}`
  })
}

/** The lines in groups of at most `most`, of nearly one size. */
function partsOf(lines: Slice[], most: number): Slice[][] {
  const count = Math.ceil(lines.length / most)
  const each = Math.ceil(lines.length / count)
  return Array.from({ length: Math.ceil(lines.length / each) }, (_, n) =>
    lines.slice(n * each, (n + 1) * each),
  )
}

/** When each part is shown, in milliseconds. */
function timesOf(cue: ScriptCue, parts: Slice[][]) {
  const words = wordsIn(cue.text, cue.words)
  const widths = widthsOf(cue.text)
  const starts = [cue.start]
  for (const part of parts.slice(1)) {
    const begin = part[0]?.[0] ?? 0
    let spoken = words.find((word) => word.from >= begin)?.start
    if (spoken === undefined) {
      const share = sum(widths, 0, begin) / sum(widths, 0, widths.length)
      spoken = Math.floor(cue.start + (cue.end - cue.start) * share + 0.5)
    }
    starts.push(Math.min(Math.max(spoken, starts.at(-1) ?? 0), cue.end))
  }
  return parts.map((part, n) => ({
    part,
    start: starts[n] ?? cue.start,
    end: starts[n + 1] ?? cue.end,
  }))
}

function timestamp(centiseconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const seconds = Math.floor(centiseconds / 100)
  const [hours, minutes] = [Math.floor(seconds / 3600), (seconds / 60) % 60]
  return `${hours}:${two(minutes)}:${two(seconds % 60)}.${two(centiseconds % 100)}`
}

/** Positions are numbered as on a number pad. */
function alignment(position: Position): string {
  return String(POSITIONS.indexOf(position) + 1)
}

/** `#RRGGBBAA` (AA = opacity) as `&HAABBGGRR` (AA = transparency). */
function styleColor(web: string): string {
  const [rgb, alpha] = assColor(web)
  return `&H${alpha}${rgb}`
}

function pixels(value: number): number {
  return Math.floor(value + 0.5)
}
