import { fromJob } from './errors'
import type { Feed } from './feed'
import type { Client, Job } from './job'
import { cancelJob, findByKey, resultUrls } from './jobs'
import { type Subtitles, submitJob } from './submit'
import type { Style } from './types'
import { uploadVideo } from './upload'
import { watchJob } from './watch'

export interface Progress {
  phase: 'upload' | 'queue' | 'work'
  /** Of everything, 0 to 100; never falls within an attempt. */
  percent: number
  /** Seconds until the result is there, once that can be told. */
  etaSeconds: number | null
  /** The row, from phase `queue` on. */
  job?: Job
}

export interface EmbedOptions {
  onProgress?: ((progress: Progress) => void) | undefined
  /** Aborting cancels: the upload stops, or the job is cancelled. */
  signal?: AbortSignal | undefined
}

export interface Embedded {
  /** Plays and downloads the result, for an hour. */
  processedUrl: string
  jobId: string
}

/** Per cent of the whole that the upload counts for. */
const UPLOAD_SHARE = 20

/**
 * Upload a video, have subtitles burned into it, and wait for the result.
 *
 * Raises `VideoServiceError` with the code of docs/errors.md when the job fails, and the signal's
 * reason when it is aborted.
 */
export async function embed(
  client: Client,
  feed: Feed,
  video: Blob,
  subtitles: Subtitles | Blob,
  style: Style,
  videoName: string,
  { onProgress, signal }: EmbedOptions = {},
): Promise<Embedded> {
  const text = subtitles instanceof Blob ? await subtitles.text() : subtitles
  const videoPath = await uploadVideo(client, video, videoName, {
    signal,
    onProgress: (sent, total) =>
      onProgress?.({
        phase: 'upload',
        percent: (UPLOAD_SHARE * sent) / (total || 1),
        etaSeconds: null,
      }),
  })
  const idempotencyKey = crypto.randomUUID()
  try {
    const submitted = await submitJob(
      client,
      { videoPath, subtitles: text, style, idempotencyKey },
      signal,
    )
    const report = (job: Job) =>
      onProgress?.({
        phase: job.status === 'queued' ? 'queue' : 'work',
        percent: UPLOAD_SHARE + ((100 - UPLOAD_SHARE) * job.progress) / 100,
        etaSeconds: job.eta_seconds,
        job,
      })
    const job = await watchJob(client, feed, submitted.id, report, { signal })
    if (job.status !== 'completed') throw fromJob(job)
    return { processedUrl: (await resultUrls(client, job)).video, jobId: job.id }
  } catch (error) {
    // The answer may have been lost on its way: the key finds the job all the same.
    if (signal?.aborted) {
      const job = await findByKey(client, idempotencyKey)
      if (job) await cancelJob(client, job.id)
    }
    throw error
  }
}
