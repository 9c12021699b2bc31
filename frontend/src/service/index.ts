/**
 * Everything about video jobs that an app needs, without React and bound to the app's own client:
 *
 *     const videos = createVideoService(supabase)
 *     const { processedUrl } = await videos.embedSubtitlesIntoVideo(file, cues, style, file.name)
 */

import { type EmbedOptions, embed } from './embed'
import { createFeed } from './feed'
import type { Client, Job } from './job'
import { cancelJob, jobsAhead, listJobs, posterUrls, resultUrls, retryJob } from './jobs'
import { type SubmitRequest, type Subtitles, submitJob, wakeFunction } from './submit'
import type { Style } from './types'
import { type UploadOptions, uploadVideo } from './upload'
import { type WatchOptions, watchJob } from './watch'

export type { Embedded, EmbedOptions, Progress } from './embed'
export { VideoServiceError } from './errors'
export type { Client, Job } from './job'
export { isFinal, videoName } from './job'
export type { ResultUrls } from './jobs'
export type { SubmitRequest, Subtitles } from './submit'
export type { Cue, Options, Style, Word } from './types'

export type VideoService = ReturnType<typeof createVideoService>

export function createVideoService(client: Client) {
  const feed = createFeed(client)
  return {
    feed,
    embedSubtitlesIntoVideo: (
      video: Blob,
      subtitles: Subtitles | Blob,
      style: Style,
      videoName: string,
      options?: EmbedOptions,
    ) => embed(client, feed, video, subtitles, style, videoName, options),
    /** While a submission is likely: nothing is waited for then that can be there now. */
    prepare: (): (() => void) => {
      void wakeFunction(client)
      return feed.listen({ onChange: () => {}, onStale: () => {} })
    },
    upload: (video: Blob, name: string, options?: UploadOptions) =>
      uploadVideo(client, video, name, options),
    submit: (request: SubmitRequest, signal?: AbortSignal) => submitJob(client, request, signal),
    watch: (id: string, onChange: (job: Job) => void, options?: WatchOptions) =>
      watchJob(client, feed, id, onChange, options),
    cancel: (id: string) => cancelJob(client, id),
    retry: (id: string) => retryJob(client, id),
    list: (options?: Parameters<typeof listJobs>[1]) => listJobs(client, options),
    jobsAhead: (id: string) => jobsAhead(client, id),
    resultUrls: (job: Job) => resultUrls(client, job),
    posterUrls: (jobs: Job[]) => posterUrls(client, jobs),
  }
}
