/** What is being edited: a video, cues, a style. Every change of the document can be undone. */

import { create } from 'zustand'
import type { Options, Style } from '../service/types'
import * as edit from '../subtitles/edit'
import { advance, begin, type History, redo, undo } from '../subtitles/history'

export interface Video {
  file: Blob
  name: string
  /** Of this page's life only. */
  url: string
}

export interface Document {
  cues: edit.EditorCue[]
  style: Style
  options: Options
  /** An ASS file that was imported: it brings its own look, and is shown and burned as it is. */
  styled: string | null
}

/** The size as displayed, and the length in seconds. */
export interface Picture {
  width: number
  height: number
  duration: number
}

interface EditorState {
  /** Whose all this is: someone else may sign in on the same page. */
  owner: string | null
  video: Video | null
  picture: Picture | null
  player: HTMLVideoElement | null
  history: History<Document>
  selected: string | null
  /** The cue under the playhead. */
  current: string | null
}

export const EMPTY: Document = { cues: [], style: {}, options: {}, styled: null }

export const useEditor = create<EditorState>(() => ({
  owner: null,
  video: null,
  picture: null,
  player: null,
  history: begin(EMPTY),
  selected: null,
  current: null,
}))

export const useDocument = () => useEditor((state) => state.history.present)
const { getState, setState } = useEditor

export function openVideo(file: Blob, name: string, document?: Document): void {
  closeVideo()
  setState({ video: { file, name, url: URL.createObjectURL(file) } })
  if (document) setState({ history: begin(document) })
}

export function closeVideo(): void {
  const { video } = getState()
  if (video) URL.revokeObjectURL(video.url)
  setState({ video: null, picture: null, history: begin(EMPTY), selected: null, current: null })
}

/** Steps of one `name` in a row are undone together. */
export function change(next: (document: Document) => Document, name?: string): void {
  setState(({ history }) => ({ history: advance(history, next(history.present), name) }))
}

export function changeCues(
  next: (cues: edit.EditorCue[]) => edit.EditorCue[],
  name?: string,
): void {
  change((document) => {
    const cues = next(document.cues)
    return cues === document.cues ? document : { ...document, cues }
  }, name)
}

export const undoChange = () => setState(({ history }) => ({ history: undo(history) }))
export const redoChange = () => setState(({ history }) => ({ history: redo(history) }))
export const select = (selected: string | null) => setState({ selected })

/** Playback in milliseconds. */
export function now(): number {
  return (getState().player?.currentTime ?? 0) * 1000
}

export function seek(milliseconds: number): void {
  const { player } = getState()
  if (player) player.currentTime = Math.max(0, milliseconds / 1000)
}

export function followPlayhead(): void {
  const { history, current } = getState()
  const id = edit.cueAt(history.present.cues, now())?.id ?? null
  if (id !== current) setState({ current: id })
}

export function selectedCue(): edit.EditorCue | undefined {
  const { history, selected } = getState()
  return history.present.cues.find((cue) => cue.id === selected)
}
