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

const TRY_AGAIN_AFTER = 5000

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

/**
 * Draws over a video whose size is known, on a canvas beside it. What can't be loaded is tried again with
 * the next change, when the network is back, and after a pause; `tell` hears how each try ended.
 */
export function createPreview(
  video: HTMLVideoElement,
  picture: Picture,
  tell: (drawn: boolean) => void,
): Preview {
  const controller = new AbortController()
  const { signal } = controller
  const loaded = new Set<string>()
  let families: Families | undefined
  let renderer: JASSUB | undefined
  let wanted = EMPTY
  let drawing = false
  let pause: ReturnType<typeof setTimeout> | undefined

  /** One at a time, and the last one in the end. */
  const draw = async () => {
    if (drawing) return
    drawing = true
    clearTimeout(pause)
    try {
      families ??= (await (await load('/fonts/index.json', signal)).json()) as Families
      renderer ??= await startRenderer(video, picture, signal)
      let drawn: Document | undefined
      while (drawn !== wanted) {
        drawn = wanted
        const script = scriptOf(drawn, picture)
        const missing = filesFor(script, families).filter((file) => !loaded.has(file))
        const fonts = await Promise.all(missing.map((file) => bytesOf(file, signal)))
        await renderer.renderer.addFonts(fonts)
        for (const file of missing) loaded.add(file)
        await renderer.renderer.setTrack(script)
        await renderer.resize(true)
      }
      tell(true)
    } catch (reason) {
      if (signal.aborted) return
      console.warn('no preview', reason)
      tell(false)
      pause = setTimeout(draw, TRY_AGAIN_AFTER)
    } finally {
      drawing = false
    }
  }
  addEventListener('online', draw, { signal })

  return {
    show(document) {
      wanted = document
      void draw()
    },
    destroy() {
      controller.abort()
      clearTimeout(pause)
    },
  }
}

/**
 * Lives until the signal aborts. jassub's worker tells nobody of what it can't fetch: all but its own script
 * is fetched here.
 */
async function startRenderer(
  video: HTMLVideoElement,
  picture: Picture,
  signal: AbortSignal,
): Promise<JASSUB> {
  JASSUB._test()
  const wasm = await load(JASSUB._supportsSIMD ? modernWasmUrl : wasmUrl, signal)
  const fetched = URL.createObjectURL(await wasm.blob())
  const renderer = new JASSUB({
    video,
    subContent: scriptOf(EMPTY, picture),
    defaultFont: 'noto sans',
    queryFonts: false,
    // As many pixels as the video has, which is what the worker draws on.
    prescaleHeightLimit: 2160,
    workerUrl,
    wasmUrl: fetched,
    modernWasmUrl: fetched,
  })
  const destroy = () => void renderer.destroy()
  signal.addEventListener('abort', destroy)
  try {
    await new Promise((resolve, reject) => {
      renderer._worker.addEventListener('error', () => reject(new Error(`${workerUrl} failed`)))
      renderer.ready.then(resolve, reject)
    })
  } catch (reason) {
    destroy()
    throw reason
  } finally {
    URL.revokeObjectURL(fetched)
  }
  // It draws when a frame is painted; that of a video that stands still was painted before.
  const { currentTime: mediaTime, videoWidth: width, videoHeight: height } = video
  const expectedDisplayTime = performance.now()
  await renderer.manualRender({ mediaTime, width, height, expectedDisplayTime })
  return renderer
}

async function load(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return response
}

async function bytesOf(url: string, signal: AbortSignal): Promise<Uint8Array> {
  return new Uint8Array(await (await load(url, signal)).arrayBuffer())
}

/** The files of the fonts that a script names. */
function filesFor(script: string, families: Families): string[] {
  const names = new Set(['Noto Sans', ...fontsIn(script)])
  return [...new Set([...names].flatMap((name) => families[name] ?? []))]
}

function fontsIn(script: string): string[] {
  const inline = [...script.matchAll(/\\fn([^\\}]+)/g)].map((match) => match[1] ?? '')
  const styles = [...script.matchAll(/^Style:[^,]*,([^,]+),/gm)].map((match) => match[1] ?? '')
  return [...inline, ...styles].map((name) => name.trim())
}
