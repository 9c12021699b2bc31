import { fromFunction, isTransient } from './errors'
import type { Client, Job } from './job'
import { pause } from './pause'
import type { Cue, Options, Style } from './types'

/** Function, insert and answer take well under a second; these are for a connection that breaks. */
const RETRY_SECONDS = [0.5, 2, 5]

export interface SubmitRequest {
  /** The video's path in bucket `videos`, as `uploadVideo` returns it. */
  videoPath: string
  subtitles: Subtitles
  style?: Style | undefined
  /** And whatever else docs/options.md has. */
  options?: (Options & Record<string, unknown>) | undefined
  /** The same key twice is the same job, so a lost answer can be asked for again. */
  idempotencyKey?: string | undefined
}

/** Cues, or the text of an SRT, WebVTT, ASS or SSA file, or the path of one in `subtitles`. */
export type Subtitles = Cue[] | string | { path: string }

/**
 * Ask for a video with subtitles burned in; returns the queued job.
 *
 * Raises `network`, `not_signed_in`, or what the function answers: see docs/errors.md.
 */
export async function submitJob(
  client: Client,
  request: SubmitRequest,
  signal?: AbortSignal,
): Promise<Job> {
  const { videoPath, subtitles, style, options, idempotencyKey = crypto.randomUUID() } = request
  const body = {
    video_path: videoPath,
    ...subtitleField(subtitles),
    options: { ...options, ...(style && { style }) },
    idempotency_key: idempotencyKey,
  }
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    const { data, error } = await client.functions.invoke<{ job: Job }>('process-video', {
      body,
      ...(signal && { signal }),
    })
    if (data) return data.job
    signal?.throwIfAborted()
    const failure = await fromFunction(error)
    const wait = RETRY_SECONDS[attempt]
    if (wait === undefined || !isTransient(failure)) throw failure
    await pause(failure.retryAfter ?? wait, signal)
  }
}

/** Wake the function, and let the browser learn that the page may call it. Fails without a word. */
export async function wakeFunction(client: Client): Promise<void> {
  await client.functions.invoke('process-video', { method: 'GET' })
}

function subtitleField(subtitles: Subtitles) {
  if (typeof subtitles === 'string') return { subtitle_text: subtitles }
  return Array.isArray(subtitles) ? { cues: subtitles } : { subtitle_path: subtitles.path }
}
