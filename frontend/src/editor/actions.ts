/** What the toolbar and the keys do. Each acts on the selected cue, and on the playhead. */

import * as edit from '../subtitles/edit'
import {
  changeCues,
  now,
  redoChange,
  seek,
  select,
  selectedCue,
  undoChange,
  useEditor,
} from './store'

const NUDGE = 100
const FRAME = 40

export interface Action {
  label: string
  /** As `useHotkeys` of Mantine reads them; the first one is shown. */
  keys: string[]
  run(): void
}

export const actions = {
  play: action('Play or pause', ['space'], () => {
    const { player } = useEditor.getState()
    if (player?.paused) void player.play()
    else player?.pause()
  }),
  back: action('One second back', ['ArrowLeft'], () => seek(now() - 1000)),
  forward: action('One second on', ['ArrowRight'], () => seek(now() + 1000)),
  frameBack: action('One frame back', ['shift+ArrowLeft'], () => seek(now() - FRAME)),
  frameForward: action('One frame on', ['shift+ArrowRight'], () => seek(now() + FRAME)),
  previous: action('Previous cue', ['ArrowUp'], () => go(-1)),
  next: action('Next cue', ['ArrowDown'], () => go(1)),
  add: action('New cue at the playhead', ['N'], () => {
    const id = edit.newId()
    changeCues((cues) => edit.insert(cues, now(), id))
    select(id)
    focusText(id)
  }),
  write: action('Write in the cue', ['Enter'], () => {
    const cue = selectedCue()
    if (cue) focusText(cue.id)
  }),
  start: action('Cue starts at the playhead', ['I'], () => {
    const cue = selectedCue()
    if (cue) changeCues((cues) => edit.setTimes(cues, cue.id, { start: now() }))
  }),
  end: action('Cue ends at the playhead', ['O'], () => {
    const cue = selectedCue()
    if (cue) changeCues((cues) => edit.setTimes(cues, cue.id, { end: now() }))
  }),
  split: action('Split at the playhead', ['S'], () => splitSelected()),
  merge: action('Merge with the next cue', ['M'], () => {
    const cue = selectedCue()
    if (cue) changeCues((cues) => edit.mergeWithNext(cues, cue.id))
  }),
  remove: action('Delete the cue', ['Delete', 'Backspace'], () => {
    const cue = selectedCue()
    if (!cue) return
    go(1)
    changeCues((cues) => edit.remove(cues, cue.id))
  }),
  earlier: action('Cue 0.1 s earlier', ['['], () => nudge(-NUDGE)),
  later: action('Cue 0.1 s later', [']'], () => nudge(NUDGE)),
  undo: action('Undo', ['mod+Z'], undoChange),
  redo: action('Redo', ['mod+shift+Z', 'mod+Y'], redoChange),
} satisfies Record<string, Action>

function action(label: string, keys: string[], run: () => void): Action {
  return { label, keys, run }
}

/** At the playhead if it is in the cue, else in the middle; the text at the caret, if there is one. */
export function splitSelected(caret?: number): void {
  const cue = selectedCue()
  if (!cue) return
  const playhead = now()
  const inside = playhead > cue.start && playhead < cue.end
  const id = edit.newId()
  changeCues((cues) =>
    edit.split(cues, cue.id, inside ? playhead : (cue.start + cue.end) / 2, caret, id),
  )
  select(id)
}

function nudge(by: number): void {
  const cue = selectedCue()
  if (!cue) return
  const start = Math.max(0, cue.start + by)
  changeCues(
    (cues) => edit.setTimes(cues, cue.id, { start, end: start + cue.end - cue.start }),
    `nudge ${cue.id}`,
  )
}

/** Select the cue before or after the selected one, or the one nearest to the playhead. */
function go(step: number): void {
  const { history, selected } = useEditor.getState()
  const { cues } = history.present
  const index = cues.findIndex((cue) => cue.id === selected)
  const time = now()
  const near = cues.findIndex((cue) => cue.end > time)
  const target = cues[index < 0 ? Math.max(0, near) : index + step]
  if (!target) return
  select(target.id)
  seek(target.start)
}

/** The list shows the selected cue's text field as soon as it has drawn it. */
function focusText(id: string, tries = 10): void {
  const field = document.querySelector<HTMLTextAreaElement>(`textarea[data-cue="${id}"]`)
  if (field) field.focus()
  else if (tries) requestAnimationFrame(() => focusText(id, tries - 1))
}
