/** The preview: libass in the browser, with the script and the fonts of the worker. */

import JASSUB from 'jassub'
import wasmUrl from 'jassub/dist/wasm/jassub-worker.wasm?url'
import modernWasmUrl from 'jassub/dist/wasm/jassub-worker-modern.wasm?url'
import workerUrl from 'jassub/dist/worker/worker.js?worker&url'
import { type EditorCue, isPlain } from '../subtitles/edit'
import { plainCue, type ScriptCue, writeScript } from '../subtitles/script/ass'
import { markedCue } from '../subtitles/script/markup'
import { type Document, EMPTY, type Picture } from './store'

export interface Preview {
  show(document: Document): void
  destroy(): void
}

type Families = Record<string, string[]>

let families: Promise<Families> | undefined

function fontFamilies(): Promise<Families> {
  families ??= fetch('/fonts/index.json').then((response) => {
    if (!response.ok) throw new Error('there are no fonts: run frontend/assets.py')
    return response.json() as Promise<Families>
  })
  return families
}

/** Each cue is read once for as long as it stays the same. */
function once(read: (cue: EditorCue) => ScriptCue): (cue: EditorCue) => ScriptCue {
  const known = new WeakMap<EditorCue, ScriptCue>()
  return (cue) => {
    const result = known.get(cue) ?? read(cue)
    known.set(cue, result)
    return result
  }
}

const plain = once(plainCue)
const marked = once(markedCue)

/** What the worker makes of a document, for a picture of this size. */
export function scriptOf(document: Document, { width, height }: Picture): string {
  const { cues, style, options, styled } = document
  if (styled !== null) return styled
  const read = cues.map(isPlain(cues) ? plain : marked)
  return writeScript(read, style, width, height, options.language)
}

/** Draws over a video whose size is known, on a canvas beside it. */
export async function createPreview(video: HTMLVideoElement, picture: Picture): Promise<Preview> {
  const known = await fontFamilies()
  const loaded = new Set<string>()
  const renderer = new JASSUB({
    video,
    subContent: scriptOf(EMPTY, picture),
    fonts: filesFor('', known, loaded),
    defaultFont: 'noto sans',
    queryFonts: false,
    // As many pixels as the video has, which is what the worker draws on.
    prescaleHeightLimit: 2160,
    workerUrl,
    wasmUrl,
    modernWasmUrl,
  })
  await renderer.ready
  // It draws when a frame is painted; that of a video that stands still was painted before.
  const { currentTime: mediaTime, videoWidth: width, videoHeight: height } = video
  const expectedDisplayTime = performance.now()
  await renderer.manualRender({ mediaTime, width, height, expectedDisplayTime })
  let wanted = EMPTY
  let drawing = false

  /** One at a time, and the last one in the end. */
  const draw = async () => {
    if (drawing) return
    drawing = true
    let drawn: Document | undefined
    while (drawn !== wanted) {
      drawn = wanted
      const script = scriptOf(drawn, picture)
      const files = filesFor(script, known, loaded)
      if (files.length) await renderer.renderer.addFonts(files)
      await renderer.renderer.setTrack(script)
      await renderer.resize(true)
    }
    drawing = false
  }

  return {
    show(document) {
      wanted = document
      void draw()
    },
    destroy: () => void renderer.destroy(),
  }
}

/** The files of the fonts that a script names, but for those that were loaded before. */
function filesFor(script: string, known: Families, loaded: Set<string>): string[] {
  const names = new Set(['Noto Sans', ...fontsIn(script)])
  const files = [...names].flatMap((name) => known[name] ?? [])
  const missing = [...new Set(files)].filter((file) => !loaded.has(file))
  for (const file of missing) loaded.add(file)
  return missing.map((file) => new URL(file, location.href).href)
}

function fontsIn(script: string): string[] {
  const inline = [...script.matchAll(/\\fn([^\\}]+)/g)].map((match) => match[1] ?? '')
  const styles = [...script.matchAll(/^Style:[^,]*,([^,]+),/gm)].map((match) => match[1] ?? '')
  return [...inline, ...styles].map((name) => name.trim())
}
