import { type DetailedError, type PreviousUpload, Upload } from 'tus-js-client'
import { VideoServiceError, wrap } from './errors'
import { type Client, signedInUser } from './job'

/** Supabase accepts no other size of chunk, except for the last. */
const CHUNK = 6 * 1024 * 1024

/** A cut of up to about eight minutes is waited out; after a longer one the upload can be resumed. */
const RETRY_DELAYS = [0, 1000, 2000, ...Array<number>(100).fill(5000)]

/** What Storage answers for a moment only: a lock of the last try, a busy or absent server. */
const PASSING = (status: number) => status === 409 || status === 423 || status === 429

const ENDINGS: Record<string, string> = { 'video/webm': 'webm', 'video/quicktime': 'mov' }

export interface UploadOptions {
  signal?: AbortSignal | undefined
  /** Bytes that Storage has, and bytes of the file. */
  onProgress?: ((sent: number, total: number) => void) | undefined
}

/**
 * Send a video to bucket `videos`, straight to Storage, and return its path there.
 *
 * An upload of the same file that was cut off, by a reload too, goes on where it stopped. Raises
 * `not_signed_in`, `network`, `upload_refused`, `upload_too_large`, `upload_failed`, or the
 * signal's reason; an aborted upload leaves nothing behind.
 */
export async function uploadVideo(
  client: Client,
  video: Blob,
  name: string,
  { signal, onProgress }: UploadOptions = {},
): Promise<string> {
  signal?.throwIfAborted()
  const { id } = await signedInUser(client)
  let path = `${id}/${crypto.randomUUID()}/${objectName(name, video.type)}`
  let upload: Upload | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const started = new Upload(video as File, {
        endpoint: `${storageUrl(client)}/upload/resumable`,
        chunkSize: CHUNK,
        retryDelays: RETRY_DELAYS,
        metadata: {
          bucketName: 'videos',
          objectName: path,
          contentType: video.type || 'video/mp4',
          cacheControl: '3600',
        },
        removeFingerprintOnSuccess: true,
        fingerprint: async () => fingerprint(id, video, name),
        // The session may be renewed while a large file is on its way.
        onBeforeRequest: async (request) => {
          const { token } = await signedInUser(client)
          request.setHeader('authorization', `Bearer ${token}`)
        },
        onShouldRetry: (error) => mayPass(error),
        onProgress: (sent, total) => onProgress?.(sent, total),
        onSuccess: () => resolve(),
        onError: reject,
      })
      upload = started
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      started
        .findPreviousUploads()
        .then((previous) => {
          const last = newest(previous)
          if (last?.metadata.objectName) {
            path = last.metadata.objectName
            started.resumeFromPreviousUpload(last)
          }
          if (!signal?.aborted) started.start()
        })
        .catch(reject)
    })
  } catch (error) {
    if (signal?.aborted) {
      // What was sent goes as well; where that fails, Storage drops it after a day.
      await upload?.abort(true).catch(() => undefined)
      throw signal.reason
    }
    throw asServiceError(error)
  }
  return path
}

function storageUrl(client: Client): string {
  // Read from the client, so that an app has no second place to say it.
  return (client.storage as unknown as { url: string }).url
}

/** The same file of the same user, whatever page it was chosen on. */
function fingerprint(user: string, video: Blob, name: string): string {
  const modified = video instanceof File ? video.lastModified : 0
  return ['video-jobs', user, name, video.type, video.size, modified].join(':')
}

function newest(uploads: PreviousUpload[]): PreviousUpload | undefined {
  return uploads.sort((a, b) => Date.parse(b.creationTime) - Date.parse(a.creationTime))[0]
}

function mayPass(error: Error | DetailedError): boolean {
  const status = statusOf(error)
  return status === undefined || status >= 500 || PASSING(status)
}

function statusOf(error: unknown): number | undefined {
  const response = (error as DetailedError).originalResponse
  return response ? response.getStatus() : undefined
}

function asServiceError(error: unknown): VideoServiceError {
  if (error instanceof VideoServiceError) return error
  const cause = (error as DetailedError).causingError
  if (cause instanceof VideoServiceError) return cause
  if (!('originalRequest' in (error as object))) return wrap('upload_failed', error)
  switch (statusOf(error)) {
    case undefined:
      return wrap('network', error)
    case 401:
    case 403:
      return wrap('not_signed_in', error)
    case 413:
      return wrap('upload_too_large', error)
    case 415:
      return wrap('upload_refused', error)
    default:
      return wrap('upload_failed', error)
  }
}

/** A name that Storage accepts: Latin letters, digits, and an ending. */
export function objectName(name: string, type = ''): string {
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(name)
  const stem = (ending ? name.slice(0, ending.index) : name)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._ -]+/g, '-')
    .replace(/^[-. ]+|[-. ]+$/g, '')
    .slice(0, 80)
  return `${stem || 'video'}.${ending?.[1]?.toLowerCase() ?? ENDINGS[type] ?? 'mp4'}`
}
