/** The videos that the tests send, made once with the worker's ffmpeg. */

import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
export const FOLDER = join(import.meta.dirname, '../test-results/clips')
export const PYTHON = join(ROOT, '.venv/bin/python')

export const SHORT = join(FOLDER, 'short.mp4')
/** Takes long enough to render that something can happen meanwhile. */
export const LONG = join(FOLDER, 'long.mp4')
/** Short, but 60 MB large: for uploads that something happens to. */
export const LARGE = join(FOLDER, 'large.mp4')
export const BROKEN = join(FOLDER, 'broken.mp4')

/** Half an hour, as a thousand cues have. */
export const HALF_HOUR = join(FOLDER, 'half-hour.mp4')
/** With sound in English, and in Spanish. */
export const TWO_SOUNDS = join(FOLDER, 'two-sounds.mkv')
/** A picture that does not move: the same at any time. */
export const STILL = join(FOLDER, 'still.mp4')

export const FFMPEG = execFileSync(PYTHON, [
  '-c',
  'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe(), end="")',
]).toString()

const MOVING = 'testsrc2=s=SIZE:r=25:d=SECONDS,eq=saturation=0.35:brightness=-0.2'
const SLOW = 'testsrc2=s=SIZE:r=2:d=SECONDS'
const STANDING = 'smptehdbars=s=SIZE:r=25:d=SECONDS,eq=saturation=0.3:brightness=-0.3'

function clip(path: string, seconds: number, size: string, picture = MOVING): void {
  if (existsSync(path)) return
  const source = picture.replace('SIZE', size).replace('SECONDS', String(seconds))
  execFileSync(FFMPEG, [
    ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', source],
    ...['-f', 'lavfi', '-i', `sine=frequency=330:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
  ])
}

export default function makeClips(): void {
  mkdirSync(FOLDER, { recursive: true })
  clip(SHORT, 6, '640x360')
  clip(LONG, 40, '1280x720')
  clip(HALF_HOUR, 1800, '96x54', SLOW)
  clip(STILL, 2, '1280x720', STANDING)
  if (!existsSync(TWO_SOUNDS)) {
    const languages = ['eng', 'spa'].flatMap((code, at) => [
      ...['-map', '0:a', `-metadata:s:a:${at}`, `language=${code}`],
    ])
    const input = ['-nostdin', '-v', 'error', '-y', '-i', SHORT]
    execFileSync(FFMPEG, [...input, '-map', '0:v', ...languages, '-c', 'copy', TWO_SOUNDS])
  }
  if (!existsSync(LARGE)) {
    clip(LARGE, 6, '640x360')
    // A box that players skip: its length, its name, and nothing in it.
    const empty = Buffer.alloc(60_000_000)
    empty.writeUInt32BE(empty.length)
    empty.write('free', 4)
    appendFileSync(LARGE, empty)
  }
  writeFileSync(BROKEN, 'This is no video.')
}
