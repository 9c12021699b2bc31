/**
 * The draft survives a reload: the document always, the video itself up to a gigabyte. A larger one
 * is asked for again; its upload goes on where it stopped all the same.
 */

import { del, get, set } from 'idb-keyval'
import { withIds, withoutIds } from '../subtitles/edit'
import type { Cue } from '../subtitles/types'
import { type Document, useEditor } from './store'
import { useUpload } from './uploading'

const LARGEST_KEPT = 1 << 30
const SAVE_AFTER = 400

interface Stored {
  name: string
  cues: Cue[]
  style: Document['style']
  options: Document['options']
  styled: string | null
  /** Where the upload went, once it is done. */
  path: string | null
  /** Goes into the next job's idempotency key; another one once that job exists. */
  salt: string
}

export interface Draft extends Omit<Stored, keyof Document> {
  file: Blob | undefined
  document: Document
}

let salt: string = crypto.randomUUID()
export const draftSalt = () => salt

/** The next job is another one, even if it is the same. */
export function renewSalt(userId: string): void {
  salt = crypto.randomUUID()
  void save(userId)
}

export async function loadDraft(userId: string): Promise<Draft | undefined> {
  const stored = await get<Stored>(`draft:${userId}`)
  if (!stored) return undefined
  salt = stored.salt
  const { cues, style, options, styled, ...rest } = stored
  const file = await get<Blob>(`video:${userId}`)
  return { ...rest, file, document: { cues: withIds(cues), style, options, styled } }
}

/** Keep what is edited from now on; returns how to stop. */
export function keepDraft(userId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const now = () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    void save(userId)
  }
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(now, SAVE_AFTER)
  }
  // Who leaves the page has no moment left.
  addEventListener('pagehide', now)
  const stops = [
    useEditor.subscribe((state, before) => {
      if (state.history !== before.history) later()
      if (state.video !== before.video) {
        void keepVideo(userId)
        later()
      }
    }),
    useUpload.subscribe((state, before) => {
      if (state.path !== before.path) later()
    }),
  ]
  return () => {
    now()
    removeEventListener('pagehide', now)
    for (const stop of stops) stop()
  }
}

async function save(userId: string): Promise<void> {
  const { video, history } = useEditor.getState()
  if (!video) return del(`draft:${userId}`)
  const { cues, style, options, styled } = history.present
  const stored: Stored = {
    name: video.name,
    cues: withoutIds(cues),
    style,
    options,
    styled,
    path: useUpload.getState().path,
    salt,
  }
  await set(`draft:${userId}`, stored)
}

async function keepVideo(userId: string): Promise<void> {
  const { video } = useEditor.getState()
  if (!video || video.file.size > LARGEST_KEPT) return del(`video:${userId}`)
  // A full disk costs no more than having to choose the file again.
  await set(`video:${userId}`, video.file).catch(console.warn)
}
