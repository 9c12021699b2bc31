/** The scripts of tests/vectors: what the worker writes, byte for byte. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Cue as JsonCue, Style } from '../src/service/types'
import { fromJson } from '../src/subtitles/json'
import { type Look, plainCue, writeScript } from '../src/subtitles/script/ass'
import { markedCue } from '../src/subtitles/script/markup'

const FOLDER = join(import.meta.dirname, '../../tests/vectors')
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -5))

interface Vector {
  width: number
  height: number
  language: string | null
  style: Style
  cues: JsonCue[]
}

test.each(NAMES)('%s is the same script as in Python', (name) => {
  const given = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Vector
  const cues = given.cues.map(fromJson).map(plainCue)
  const script = writeScript(cues, given.style, given.width, given.height, given.language)
  expect(script).toBe(readFileSync(join(FOLDER, `${name}.ass`), 'utf8'))
})

test('there are vectors', () => {
  expect(NAMES.length).toBeGreaterThan(20)
})

interface MarkupVector {
  markup: string
  text: string
  spans: [start: number, end: number, look: Look][]
  position: string | null
}

const MARKUP = JSON.parse(readFileSync(join(FOLDER, 'markup/srt.json'), 'utf8')) as MarkupVector[]

test.each(MARKUP)('$markup is read as in Python', ({ markup, text, spans, position }) => {
  const cue = markedCue({ start: 0, end: 1, text: markup })
  expect(cue.text.join('')).toBe(text)
  expect(cue.spans).toEqual(spans.map(([start, end, look]) => ({ start, end, look })))
  expect(cue.position).toBe(position)
})
