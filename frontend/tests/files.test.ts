import { expect, test } from 'vitest'
import { formatSpan, formatTime, parseTime } from '../src/subtitles/clock'
import { ImportError, importSubtitles, readSrt, readVtt, writeSrt } from '../src/subtitles/files'

test.each([
  ['75', 75_000],
  ['1:15', 75_000],
  ['1:15.5', 75_500],
  ['0:01:15,050', 75_050],
  ['1:00:00', 3_600_000],
  ['', undefined],
  ['1:xx', undefined],
])('%j is typed for %j', (text, expected) => {
  expect(parseTime(text)).toBe(expected)
})

test('times and spans are written as people read them', () => {
  expect([0, 75_050, 3_723_004].map(formatTime)).toEqual(['0:00.000', '1:15.050', '1:02:03.004'])
  expect([9.4, 245, 7_800].map(formatSpan)).toEqual(['9 s', '4 min 5 s', '2 h 10 min'])
})

test('SRT is read in its dialects', () => {
  const text = '1\n00:00:01,000 --> 00:00:02,500\nOne\ntwo\n\n00:03.5 --> 00:04\n42\n\n'
  expect(readSrt(text)).toEqual([
    { start: 1000, end: 2500, text: 'One\ntwo' },
    { start: 3500, end: 4000, text: '42' },
  ])
})

test('WebVTT is read without its notes, styles and settings', () => {
  const text =
    'WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE no\n\nintro\n00:01.000 --> 00:02.000 line:0\n<i>Hi</i>\n\n'
  expect(readVtt(text)).toEqual([{ start: 1000, end: 2000, text: '<i>Hi</i>' }])
})

test('what is written is read again', () => {
  const cues = [
    { start: 0, end: 1000, text: 'One\ntwo' },
    { start: 3_723_004, end: 3_724_000, text: '<b>Late</b>' },
  ]
  expect(readSrt(writeSrt(cues))).toEqual(cues)
})

test('a file is read whatever its charset', async () => {
  const line = '00:01 --> 00:02\ncafé'
  const utf16 = new Uint8Array([0xff, 0xfe, ...[...line].flatMap((c) => [c.charCodeAt(0), 0])])
  const latin1 = new Uint8Array([...line].map((c) => c.charCodeAt(0)))
  for (const bytes of [new TextEncoder().encode(`\ufeff${line}`), utf16, latin1]) {
    const imported = await importSubtitles(new Blob([bytes]))
    expect(imported).toMatchObject({ kind: 'cues', cues: [{ text: 'café' }] })
  }
})

test.each([
  ['windows-1251', 'cff0e8e2e5f22c20eae0ea20e4e5ebe03f', 'Привет, как дела?'],
  [
    'shift_jis',
    '82b182f182c982bf82cd814182a88cb38b4382c582b782a98148',
    'こんにちは、お元気ですか？',
  ],
  [
    'gb18030',
    'c4e3bac32cd7eebdfcd4f5c3b4d1f93fced2c3c7bac3bec3c3bbbcfbc3e6c1cba1a3',
    '你好,最近怎么样?我们好久没见面了。',
  ],
])('%s is guessed', async (_, hex, expected) => {
  const text = hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []
  const bytes = [...new TextEncoder().encode('1\n00:00:01,000 --> 00:00:02,000\n'), ...text]
  const imported = await importSubtitles(new Blob([new Uint8Array(bytes)]))
  expect(imported).toMatchObject({ kind: 'cues', cues: [{ text: expected }] })
})

test('an ASS file is kept as it is', async () => {
  const text = '[V4+ Styles]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hi\n'
  expect(await importSubtitles(new Blob([text]))).toEqual({ kind: 'styled', text })
})

test('a time that can not be read is told with its line', async () => {
  const text = '1\n00:00:01,000 --> 00:00:02,000\nOne\n\n2\nxx:00 --> 00:04\nTwo'
  await expect(importSubtitles(new Blob([text]))).rejects.toThrow('Line 6')
  await expect(importSubtitles(new Blob(['nothing']))).rejects.toBeInstanceOf(ImportError)
})

test('JSON cues are read, as a list or as a speech recogniser writes them', async () => {
  const list = [{ start: 1, end: 2.5, text: 'Hi', position: 'top-center' }]
  const file = (value: unknown) => new Blob([JSON.stringify(value)])
  expect(await importSubtitles(file(list))).toEqual({
    kind: 'cues',
    cues: [{ start: 1000, end: 2500, text: 'Hi', position: 'top-center' }],
  })
  const segments = [
    { start: 0, end: 1, text: ' Hi you', words: [{ start: 0, end: 0.4, word: 'Hi' }], id: 7 },
  ]
  expect(await importSubtitles(file({ segments }))).toEqual({
    kind: 'cues',
    cues: [{ start: 0, end: 1000, text: 'Hi you', words: [{ start: 0, end: 400, text: 'Hi' }] }],
  })
  await expect(importSubtitles(file([{ start: 1 }]))).rejects.toThrow('Cue 1')
})
