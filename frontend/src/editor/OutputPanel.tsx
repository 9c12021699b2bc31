/** What becomes of the subtitles beside the picture, and of the rest of the video: docs/options.md. */

import { Checkbox, Select, Stack, Switch } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Options } from '../service/types'
import { LANGUAGES } from './languages'
import { change, useDocument, useEditor } from './store'
import type { SoundTrack } from './tracks'

const QUALITIES = [
  { value: 'draft', label: 'Draft: soonest done' },
  { value: 'standard', label: 'Standard' },
  { value: 'high', label: 'High: better and smaller, takes twice as long' },
]

export function OutputPanel() {
  const { options } = useDocument()
  const tracks = useSoundTracks()
  const set = (next: Options) =>
    change(
      (document) => ({ ...document, options: given({ ...document.options, ...next }) }),
      `options ${Object.keys(next)}`,
    )
  return (
    <div className="scroll">
      <Stack p="md" gap="lg">
        <Select
          label="Language of the subtitles"
          description="Chinese and Japanese are drawn and broken into lines by it."
          placeholder="As the text says"
          data={LANGUAGES}
          searchable
          clearable
          value={options.language ?? null}
          onChange={(language) => set({ language })}
        />
        {tracks.length > 1 && (
          <Select
            label="Sound"
            placeholder="The one that the file plays first"
            data={tracks.map(({ number, label }) => ({ value: String(number), label }))}
            clearable
            value={options.audio_track ? String(options.audio_track) : null}
            onChange={(number) => set({ audio_track: number ? Number(number) : null })}
          />
        )}
        <Switch
          label="Also as a track in the video"
          description="Players can switch it on and off."
          checked={options.soft_track ?? false}
          onChange={(event) => set({ soft_track: event.currentTarget.checked })}
        />
        <Checkbox.Group
          label="Also as files"
          description="To download beside the video."
          value={options.sidecars ?? []}
          onChange={(sidecars) => set({ sidecars: sidecars as Required<Options>['sidecars'] })}
        >
          <Stack gap="xs" mt="xs">
            <Checkbox value="srt" label="SRT" />
            <Checkbox value="vtt" label="WebVTT" />
          </Stack>
        </Checkbox.Group>
        <Select
          label="Quality"
          data={QUALITIES}
          allowDeselect={false}
          value={options.quality ?? 'standard'}
          onChange={(quality) => set({ quality: quality as Required<Options>['quality'] })}
        />
      </Stack>
    </div>
  )
}

/** What is not said follows the worker's defaults. */
function given(options: Options): Options {
  const said = Object.entries(options).filter(
    ([name, value]) =>
      value &&
      !(Array.isArray(value) && !value.length) &&
      !(name === 'quality' && value === 'standard'),
  )
  return Object.fromEntries(said)
}

/** None until they were read, and where this browser can't read them. */
function useSoundTracks(): SoundTrack[] {
  const video = useEditor((state) => state.video)
  const [tracks, setTracks] = useState<SoundTrack[]>([])
  useEffect(() => {
    if (!video) return
    let current = true
    import('./tracks')
      .then(({ readSoundTracks }) => readSoundTracks(video.file))
      .then((found) => current && setTracks(found))
      .catch((reason) => console.warn('no sound tracks', reason))
    return () => {
      current = false
      setTracks([])
    }
  }, [video])
  return tracks
}
