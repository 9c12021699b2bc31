import { describe, expect, test } from 'vitest'
import * as edit from '../src/subtitles/edit'
import { advance, begin, redo, undo } from '../src/subtitles/history'

const cue = (id: string, start: number, end: number, text = id): edit.EditorCue => ({
  id,
  start,
  end,
  text,
})
const three = [cue('a', 0, 1000), cue('b', 2000, 3000), cue('c', 4000, 5000)]
const times = (cues: edit.EditorCue[]) => cues.map(({ id, start, end }) => [id, start, end])

test('a new cue lasts two seconds, or up to the next one', () => {
  expect(times(edit.insert(three, 1500, 'new'))[1]).toEqual(['new', 1500, 2000])
  expect(times(edit.insert(three, 6000, 'new'))[3]).toEqual(['new', 6000, 8000])
  expect(times(edit.insert(three, 1990, 'new'))[1]).toEqual(['new', 1990, 2090])
})

test('cues that did not change are the same objects', () => {
  const changed = edit.setText(three, 'b', 'other')
  expect([changed[0], changed[2]]).toEqual([three[0], three[2]])
  expect(changed[0]).toBe(three[0])
})

test('moved cues stay in order of their starts', () => {
  const moved = edit.setTimes(three, 'a', { start: 4500, end: 4700 })
  expect(moved.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
})

test('a cue keeps its shortest length, and starts no earlier than zero', () => {
  expect(times(edit.setTimes(three, 'b', { start: 2990 }))[1]).toEqual(['b', 2990, 3090])
  expect(times(edit.setTimes(three, 'b', { end: 2020 }))[1]).toEqual(['b', 1920, 2020])
  expect(times(edit.setTimes(three, 'a', { start: -50 }))[0]).toEqual(['a', 0, 1000])
})

describe('shift', () => {
  test('moves all, or those from one on', () => {
    expect(times(edit.shift(three, 250))).toEqual([
      ['a', 250, 1250],
      ['b', 2250, 3250],
      ['c', 4250, 5250],
    ])
    expect(times(edit.shift(three, -250, 'b')).map(([, start]) => start)).toEqual([0, 1750, 3750])
  })

  test('stops at zero and keeps the distances', () => {
    const late = [cue('a', 300, 500), cue('b', 600, 900)]
    expect(times(edit.shift(late, -1000))).toEqual([
      ['a', 0, 200],
      ['b', 300, 600],
    ])
  })

  test('takes the times of words along', () => {
    const words = [{ start: 0, end: 500, text: 'a' }]
    const [moved] = edit.shift([{ ...cue('a', 0, 1000), words }], 100)
    expect(moved?.words).toEqual([{ start: 100, end: 600, text: 'a' }])
  })
})

describe('split', () => {
  const long = [cue('a', 0, 4000, 'one two three four')]

  test('cuts the text at the space nearest to the same share of the time', () => {
    const parts = edit.split(long, 'a', 2000, undefined, 'b')
    expect(times(parts)).toEqual([
      ['a', 0, 2000],
      ['b', 2000, 4000],
    ])
    expect(parts.map(({ text }) => text)).toEqual(['one two', 'three four'])
  })

  test('cuts at the caret when there is one', () => {
    expect(edit.split(long, 'a', 500, 3).map(({ text }) => text)).toEqual(['one', 'two three four'])
  })

  test('keeps both parts long enough, and leaves alone what is too short', () => {
    expect(times(edit.split(long, 'a', 5, 1, 'b'))[1]).toEqual(['b', 100, 4000])
    const short = [cue('a', 0, 150)]
    expect(edit.split(short, 'a', 75)).toBe(short)
  })

  test('gives each part its words', () => {
    const words = [0, 1000, 2000, 3000].map((start, n) => ({
      start,
      end: start + 900,
      text: ['one', 'two', 'three', 'four'][n] ?? '',
    }))
    const parts = edit.split([{ ...cue('a', 0, 4000, 'one two three four'), words }], 'a', 2000)
    expect(parts.map((part) => part.words?.map(({ text }) => text))).toEqual([
      ['one', 'two'],
      ['three', 'four'],
    ])
  })

  test('merging undoes a split but for the line break', () => {
    const [merged] = edit.mergeWithNext(edit.split(long, 'a', 2000), 'a')
    expect(merged).toMatchObject({ start: 0, end: 4000, text: 'one two\nthree four' })
  })
})

test('the last cue has nothing to merge with', () => {
  expect(edit.mergeWithNext(three, 'c')).toBe(three)
})

test('a time snaps to the nearest end of another cue within reach', () => {
  expect(edit.snap(2080, three, 'a', 100)).toBe(2000)
  expect(edit.snap(2120, three, 'a', 100)).toBe(2120)
  expect(edit.snap(2080, three, 'b', 100)).toBe(2080)
  expect(edit.snap(2080, three, 'a', 100, [2090])).toBe(2090)
})

test('of cues that overlap the later one is current', () => {
  const overlapping = [cue('a', 0, 3000), cue('b', 1000, 2000)]
  expect(edit.cueAt(overlapping, 1500)?.id).toBe('b')
  expect(edit.cueAt(overlapping, 2500)?.id).toBe('a')
  expect(edit.cueAt(overlapping, 3000)).toBeUndefined()
})

describe('history', () => {
  test('steps go back and forth', () => {
    const twice = advance(advance(begin(1), 2), 3)
    expect(undo(twice).present).toBe(2)
    expect(undo(undo(twice)).present).toBe(1)
    expect(redo(undo(twice)).present).toBe(3)
    expect(undo(begin(1)).present).toBe(1)
  })

  test('steps of one name in a row are one', () => {
    const typed = ['a', 'ab', 'abc'].reduce((h, text) => advance(h, text, 'text'), begin(''))
    expect(undo(typed).present).toBe('')
    expect(undo(advance(typed, 'x', 'other')).present).toBe('abc')
    expect(undo(advance(undo(typed), 'b', 'text')).present).toBe('')
  })

  test('a new step forgets what was undone, and one that changes nothing is none', () => {
    const forked = advance(undo(advance(begin(1), 2)), 3)
    expect(redo(forked).present).toBe(3)
    expect(advance(forked, 3)).toBe(forked)
  })
})
