/** The loudness of a video's sound over time, read bit by bit: a film of two hours fits in memory. */

import { ALL_FORMATS, AudioSampleSink, BlobSource, Input } from 'mediabunny'

const PER_SECOND = 50

/** Peaks from 0 to 1, fifty a second; null when there is no sound that this browser can decode. */
export async function readPeaks(
  file: Blob,
  duration: number,
  signal: AbortSignal,
): Promise<Float32Array | null> {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS })
  const track = await input.getPrimaryAudioTrack()
  if (!track || !(await track.canDecode())) return null
  const peaks = new Float32Array(Math.ceil(duration * PER_SECOND))
  let plane = new Float32Array(0)
  for await (const sample of new AudioSampleSink(track).samples()) {
    if (!signal.aborted) {
      const options = { planeIndex: 0, format: 'f32-planar' } as const
      const count = sample.allocationSize(options) / 4
      if (plane.length < count) plane = new Float32Array(count)
      sample.copyTo(plane, options)
      for (let n = 0; n < count; n++) {
        const at = Math.floor((sample.timestamp + n / sample.sampleRate) * PER_SECOND)
        const loud = Math.abs(plane[n] ?? 0)
        if (loud > (peaks[at] ?? 1)) peaks[at] = loud
      }
    }
    sample.close()
    signal.throwIfAborted()
  }
  const loudest = peaks.reduce((a, b) => Math.max(a, b), 0)
  return loudest > 0 ? peaks.map((peak) => peak / loudest) : peaks
}
