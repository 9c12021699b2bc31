import assert from 'node:assert/strict'
import { makeSubtitleFile } from './subtitles.ts'

const SRT = '00:01 --> 00:02\nHi'

Deno.test('the name follows from the content alone', () => {
  const one = makeSubtitleFile(undefined, SRT)
  assert.equal(makeSubtitleFile(undefined, SRT).name, one.name)
  assert.notEqual(makeSubtitleFile(undefined, `${SRT}!`).name, one.name)
  assert.match(one.name, /^[0-9a-f]{64}\.txt$/)
})

for (
  const text of [
    SRT,
    '0.01 --> 0.02\nHi',
    'Dialogue: …',
    '0:00:01.0,0:00:02.0\nHi',
    '[{"start":1}]',
  ]
) {
  Deno.test(`${JSON.stringify(text)} may be subtitles, which the worker decides`, async () => {
    assert.equal(await makeSubtitleFile(undefined, text).content.text(), text)
  })
}

Deno.test('what has no time in it is no subtitle file', () => {
  assert.throws(() => makeSubtitleFile(undefined, 'Hello'), { code: 'subtitles_unreadable' })
})

Deno.test('cues without a text are none', () => {
  const cue = { start: 0, end: 1, text: ' \n' }
  assert.throws(() => makeSubtitleFile([cue], undefined), { code: 'subtitles_empty' })
  makeSubtitleFile([cue, { ...cue, text: 'Hi' }], undefined)
})
