/** From the document to a job. */

import { videoService } from '../ffmpegService'
import { rememberSubmitted } from '../jobs/submitted'
import type { Job, Subtitles } from '../service'
import { isPlain, withoutIds } from '../subtitles/edit'
import { writeSrt } from '../subtitles/files'
import { toJson } from '../subtitles/json'
import { draftSalt, renewSalt } from './draft'
import { type Document, useEditor } from './store'
import { uploaded } from './uploading'

/** Waits for the upload, and asks for the job. Raises `VideoServiceError`, or the signal's reason. */
export async function submitDraft(userId: string, signal: AbortSignal): Promise<Job> {
  const videoPath = await uploaded(signal)
  const document = useEditor.getState().history.present
  const { style, options } = document
  const request = { videoPath, subtitles: subtitlesOf(document), style, options: { ...options } }
  const idempotencyKey = await digest(JSON.stringify([draftSalt(), request]))
  const job = await videoService.submit({ ...request, idempotencyKey }, signal)
  renewSalt(userId)
  rememberSubmitted(job)
  return job
}

/** What was asked for stands for itself: asked again after a lost answer, it is the same job. */
async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * As SRT, whose tags (`<i>`) are markup, or as JSON when there is something that SRT can't say: the
 * times of words. In JSON a text is shown as it stands.
 */
export function subtitlesOf({ cues, styled }: Document): Subtitles {
  if (styled !== null) return styled
  return isPlain(cues) ? withoutIds(cues).map(toJson) : writeSrt(withoutIds(cues))
}
