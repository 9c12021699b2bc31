/** The sound tracks of a video, in the order in which the worker counts them. */

import { ALL_FORMATS, BlobSource, Input } from 'mediabunny'
import { languageName } from './languages'

export interface SoundTrack {
  /** From 1. */
  number: number
  label: string
}

export async function readSoundTracks(file: Blob): Promise<SoundTrack[]> {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS })
  const tracks = await input.getAudioTracks()
  return Promise.all(
    tracks.map(async (track, at) => {
      const [name, language] = [await track.getName(), await track.getLanguageCode()]
      const about = [name, language === 'und' ? null : languageName(language)].filter(Boolean)
      return { number: at + 1, label: [`Track ${at + 1}`, ...about].join(' · ') }
    }),
  )
}
