import { ActionIcon, Group, Slider, Text } from '@mantine/core'
import { ZoomIn, ZoomOut } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import WaveSurfer from 'wavesurfer.js'
import RegionsPlugin, { type Region } from 'wavesurfer.js/dist/plugins/regions.esm.js'
import * as edit from '../subtitles/edit'
import { changeCues, now, seek, select, useDocument, useEditor, type Video } from './store'

/** Milliseconds of sound that the pull of a neighbour's edge covers, at any zoom: in pixels. */
const SNAP_PIXELS = 8
const SMALLEST_ZOOM = 10
const LARGEST_ZOOM = 300

/** The regions are in a shadow tree that the page's style sheet does not reach. */
const LABEL =
  'font: 12px var(--mantine-font-family); padding: 2px 6px; white-space: nowrap; overflow: hidden; ' +
  'text-overflow: ellipsis; color: var(--mantine-color-text); background: var(--cue-label)'

/** The waveform with the cues on it: click to seek, drag to move, drag an edge, double-click to add. */
export function Timeline({ video, player }: { video: Video; player: HTMLVideoElement }) {
  const container = useRef<HTMLDivElement>(null)
  const [zoom, setZoom] = useState(60)
  const duration = useEditor((state) => state.picture?.duration)
  const [surface, setSurface] = useState<Surface>()

  useEffect(() => {
    if (!container.current || !duration) return
    const made = createSurface(container.current, player, duration)
    setSurface(made)
    const controller = new AbortController()
    // The demuxers are large, and nothing waits for them. Cues can be placed without a waveform.
    import('./peaks')
      .then(({ readPeaks }) => readPeaks(video.file, duration, controller.signal))
      .then((peaks) => {
        if (peaks && !controller.signal.aborted) void made.wave.load('', [peaks], duration)
      })
      .catch((reason) => controller.signal.aborted || console.warn('no waveform', reason))
    return () => {
      controller.abort()
      made.wave.destroy()
      setSurface(undefined)
    }
  }, [video, player, duration])

  useEffect(() => {
    surface?.zoom(zoom)
  }, [surface, zoom])

  const { cues } = useDocument()
  const selected = useEditor((state) => state.selected)
  useEffect(() => surface?.show(cues, selected), [surface, cues, selected])

  const step = (factor: number) =>
    setZoom((value) => Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, value * factor)))

  return (
    <section aria-label="Timeline">
      <div className="timeline" ref={container} />
      <Group gap="xs" mt={6} justify="flex-end">
        <Text size="xs" c="dimmed" mr="auto" visibleFrom="sm">
          Drag cues and their edges; double-click to add one.
        </Text>
        <ActionIcon aria-label="Zoom out" onClick={() => step(0.7)}>
          <ZoomOut size={16} />
        </ActionIcon>
        <Slider
          w={120}
          size="sm"
          label={null}
          thumbLabel="Zoom"
          min={Math.log(SMALLEST_ZOOM)}
          max={Math.log(LARGEST_ZOOM)}
          step={0.01}
          value={Math.log(zoom)}
          onChange={(value) => setZoom(Math.exp(value))}
        />
        <ActionIcon aria-label="Zoom in" onClick={() => step(1.4)}>
          <ZoomIn size={16} />
        </ActionIcon>
      </Group>
    </section>
  )
}

interface Surface {
  wave: WaveSurfer
  zoom(pixelsPerSecond: number): void
  show(cues: edit.EditorCue[], selected: string | null): void
}

function createSurface(
  container: HTMLElement,
  player: HTMLVideoElement,
  duration: number,
): Surface {
  const colors = getComputedStyle(document.documentElement)
  const regions = RegionsPlugin.create()
  const wave = WaveSurfer.create({
    container,
    media: player,
    peaks: [new Float32Array(2)],
    duration,
    height: 114,
    waveColor: colors.getPropertyValue('--wave').trim(),
    progressColor: colors.getPropertyValue('--wave-played').trim(),
    cursorColor: '#e03131',
    cursorWidth: 2,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    dragToSeek: false,
    minPxPerSec: SMALLEST_ZOOM,
    plugins: [regions],
  })
  let pixelsPerSecond = SMALLEST_ZOOM
  // A short video fills the width, whatever the zoom.
  const reach = () => (SNAP_PIXELS * duration) / wave.getWrapper().scrollWidth
  const drawn = new Map<string, { region: Region; cue: edit.EditorCue; selected: boolean }>()

  wave.on('dblclick', (share) => {
    const id = edit.newId()
    changeCues((cues) => edit.insert(cues, share * duration * 1000, id))
    select(id)
  })
  regions.on('region-clicked', (region, event) => {
    event.stopPropagation()
    select(region.id)
    seek(region.start * 1000)
  })
  regions.on('region-updated', (region, side) => {
    const cue = drawn.get(region.id)?.cue
    if (cue) changeCues((cues) => moved(cues, cue, region, side, reach()))
    // Where nothing changed the region has to go back to its cue.
    if (cue && drawn.get(region.id)?.cue === cue) place(region, cue)
  })

  return {
    wave,
    zoom(value) {
      pixelsPerSecond = value
      if (wave.getDecodedData()) wave.zoom(value)
      else wave.once('ready', () => wave.zoom(pixelsPerSecond))
    },
    show(cues, selected) {
      const left = new Map(drawn)
      for (const cue of cues) {
        const isSelected = cue.id === selected
        const known = drawn.get(cue.id)
        left.delete(cue.id)
        if (known?.cue === cue && known.selected === isSelected) continue
        const region = known?.region ?? regions.addRegion({ id: cue.id, start: 0, end: 0 })
        place(region, cue)
        region.setOptions({ color: isSelected ? 'var(--cue-selected)' : 'var(--cue)' })
        if (known?.cue.text !== cue.text) region.setContent(label(cue.text))
        drawn.set(cue.id, { region, cue, selected: isSelected })
      }
      for (const [id, { region }] of left) {
        region.remove()
        drawn.delete(id)
      }
    },
  }
}

function place(region: Region, cue: edit.EditorCue): void {
  region.setOptions({ start: cue.start / 1000, end: cue.end / 1000 })
}

function label(text: string): HTMLElement {
  const element = document.createElement('div')
  element.textContent = text.replace(/<[^>]*>/g, '').replaceAll('\n', ' ')
  element.dir = 'auto'
  element.style.cssText = LABEL
  return element
}

/** A cue after a drag: its moved edge, or both, snapped to what is near. */
function moved(
  cues: edit.EditorCue[],
  cue: edit.EditorCue,
  region: Region,
  side: 'start' | 'end' | undefined,
  reachSeconds: number,
): edit.EditorCue[] {
  const snap = (time: number) => edit.snap(time, cues, cue.id, reachSeconds * 1000, [now()])
  const [start, end] = [region.start * 1000, region.end * 1000]
  if (side)
    return edit.setTimes(
      cues,
      cue.id,
      side === 'start' ? { start: snap(start) } : { end: snap(end) },
    )
  const [toStart, toEnd] = [snap(start) - start, snap(end) - end]
  const by = toStart && (!toEnd || Math.abs(toStart) <= Math.abs(toEnd)) ? toStart : toEnd
  return edit.setTimes(cues, cue.id, { start: start + by, end: end + by })
}
