import assert from 'node:assert/strict'
import { formatOf, makeSubtitleFile } from './subtitles.ts'

const LINE = '00:01 --> 00:02'

for (
  const [text, format] of [
    [`1\n${LINE}\nHi`, 'srt'],
    [`WEBVTT\n\n${LINE}\nHi`, 'vtt'],
    [`\ufeff WEBVTT - title\n\n${LINE}\nHi`, 'vtt'],
    [`WEBVTTX\n${LINE}\nHi`, 'srt'],
    ['[v4+ styles]\n', 'ass'],
    ['[V4 Styles]\n', 'ssa'],
    [`[V4+ Styles]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,a ${LINE}`, 'ass'],
    [`1\n${LINE}\n[V4+ Styles]`, 'srt'],
  ] as const
) {
  Deno.test(`${JSON.stringify(text)} is ${format}`, () => {
    assert.equal(formatOf(text), format)
  })
}

Deno.test('what has no time in it is no subtitle file', () => {
  assert.throws(() => formatOf('Hello'), { code: 'subtitles_unreadable' })
})

Deno.test('the name follows from the content alone', () => {
  const one = makeSubtitleFile(undefined, `${LINE}\nHi`)
  assert.equal(makeSubtitleFile(undefined, `${LINE}\nHi`).name, one.name)
  assert.notEqual(makeSubtitleFile(undefined, `${LINE}\nHo`).name, one.name)
  assert.match(one.name, /^[0-9a-f]{64}\.srt$/)
})
