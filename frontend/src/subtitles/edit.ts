/**
 * What an editor does to cues, as pure functions: they get a list that is sorted by start and return
 * a new one, in which cues that did not change are the same objects.
 */

import type { Cue } from './types'

/** A cue on the page: its id stays the same while everything else of it changes. */
export interface EditorCue extends Cue {
  readonly id: string
}

/** Milliseconds: shorter than this nobody reads, and a handle can't be grabbed. */
export const SHORTEST = 100
const NEW_CUE = 2000

let lastId = 0
export const newId = () => `cue-${++lastId}`

export function withIds(cues: Cue[]): EditorCue[] {
  return sorted(cues.map((cue) => ({ ...cue, id: newId() })))
}

export function withoutIds(cues: EditorCue[]): Cue[] {
  return cues.map(({ id: _, ...cue }) => cue)
}

/** Whether texts are shown as they stand, tags and all: where words have times. */
export function isPlain(cues: readonly Cue[]): boolean {
  return cues.some((cue) => cue.words?.length || cue.position)
}

function sorted(cues: EditorCue[]): EditorCue[] {
  return cues.toSorted((a, b) => a.start - b.start || a.end - b.end)
}

/** An empty cue at a time: two seconds long, or up to the next one. */
export function insert(cues: EditorCue[], at: number, id = newId()): EditorCue[] {
  const start = Math.max(0, Math.round(at))
  const next = cues.find((cue) => cue.start > start)
  const end = Math.max(start + SHORTEST, Math.min(start + NEW_CUE, next?.start ?? Infinity))
  return sorted([...cues, { id, start, end, text: '' }])
}

export function remove(cues: EditorCue[], id: string): EditorCue[] {
  return cues.filter((cue) => cue.id !== id)
}

export function setText(cues: EditorCue[], id: string, text: string): EditorCue[] {
  return replace(cues, id, (cue) => {
    // Word times belong to the words they were made for.
    const { words: _, ...rest } = cue
    return { ...rest, text }
  })
}

/** Move one or both ends. A cue keeps at least its shortest length, and starts no earlier than 0. */
export function setTimes(
  cues: EditorCue[],
  id: string,
  { start, end }: { start?: number; end?: number },
): EditorCue[] {
  const moved = replace(cues, id, (cue) => {
    const from = Math.max(0, Math.round(start ?? Math.min(cue.start, (end ?? cue.end) - SHORTEST)))
    const to = Math.max(from + SHORTEST, Math.round(end ?? cue.end))
    return shifted(cue, from - cue.start, { start: from, end: to })
  })
  return sorted(moved)
}

/** Move all cues, or those from one on, by some milliseconds; none before 0, and none out of order. */
export function shift(cues: EditorCue[], by: number, from?: string): EditorCue[] {
  const first = from === undefined ? 0 : cues.findIndex((cue) => cue.id === from)
  const earliest = cues[first]
  if (!earliest) return cues
  const step = Math.max(Math.round(by), -earliest.start)
  return sorted(
    cues.map((cue, index) =>
      index < first || step === 0
        ? cue
        : shifted(cue, step, { start: cue.start + step, end: cue.end + step }),
    ),
  )
}

/**
 * Cut a cue in two at a time. Its text is cut at `caret`, or else at the space nearest to the same
 * share of the text. A time too close to an end is moved, so that both parts can be read.
 */
export function split(
  cues: EditorCue[],
  id: string,
  at: number,
  caret?: number,
  newCue = newId(),
): EditorCue[] {
  const cue = cues.find((candidate) => candidate.id === id)
  if (!cue || cue.end - cue.start < 2 * SHORTEST) return cues
  const time = Math.round(clamp(at, cue.start + SHORTEST, cue.end - SHORTEST))
  const share = (time - cue.start) / (cue.end - cue.start)
  const place = caret ?? spaceNear(cue.text, share)
  const parts = [cue.text.slice(0, place).trimEnd(), cue.text.slice(place).trimStart()]
  const words = cue.words ?? []
  const first = { ...cue, end: time, text: parts[0] ?? '' }
  const second = { ...cue, id: newCue, start: time, text: parts[1] ?? '' }
  if (cue.words) {
    first.words = words.filter((word) => word.start < time)
    second.words = words.filter((word) => word.start >= time)
  }
  return sorted(cues.flatMap((other) => (other === cue ? [first, second] : [other])))
}

/** Join a cue with the one that follows it: from the first's start to the later end. */
export function mergeWithNext(cues: EditorCue[], id: string): EditorCue[] {
  const index = cues.findIndex((cue) => cue.id === id)
  const [cue, next] = [cues[index], cues[index + 1]]
  if (!cue || !next) return cues
  const merged: EditorCue = {
    ...cue,
    end: Math.max(cue.end, next.end),
    text: [cue.text, next.text].filter(Boolean).join('\n'),
  }
  if (cue.words && next.words) merged.words = [...cue.words, ...next.words]
  else delete merged.words
  return [...cues.slice(0, index), merged, ...cues.slice(index + 2)]
}

/** The time nearest to `time` within `reach`: an end of another cue, or one of `more`. */
export function snap(
  time: number,
  cues: EditorCue[],
  except: string,
  reach: number,
  more: number[] = [],
): number {
  let best = time
  let distance = reach
  const consider = (candidate: number) => {
    const away = Math.abs(candidate - time)
    if (away < distance || (away === distance && candidate < best)) {
      best = candidate
      distance = away
    }
  }
  for (const cue of cues) {
    if (cue.id === except) continue
    consider(cue.start)
    consider(cue.end)
  }
  more.forEach(consider)
  return best
}

/** The cue that is shown at a time; of several the one that began last. */
export function cueAt(cues: EditorCue[], time: number): EditorCue | undefined {
  return cues.findLast((cue) => cue.start <= time && time < cue.end)
}

function replace(
  cues: EditorCue[],
  id: string,
  change: (cue: EditorCue) => EditorCue,
): EditorCue[] {
  return cues.map((cue) => (cue.id === id ? change(cue) : cue))
}

function shifted(cue: EditorCue, by: number, times: { start: number; end: number }): EditorCue {
  const moved = { ...cue, ...times }
  if (cue.words) {
    moved.words = cue.words.map((word) => ({ ...word, start: word.start + by, end: word.end + by }))
  }
  return moved
}

function spaceNear(text: string, share: number): number {
  const wish = text.length * share
  const spaces = [...text.matchAll(/\s+/g)].map((match) => match.index)
  const nearest = spaces.sort((a, b) => Math.abs(a - wish) - Math.abs(b - wish))[0]
  return nearest ?? Math.round(wish)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
