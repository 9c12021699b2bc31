import { fromDatabase, isTransient, VideoServiceError } from './errors'
import type { Feed } from './feed'
import { type Client, isFinal, type Job } from './job'
import { mergeChange, mergeRow } from './merge'

/** Seconds between looks at the row: while Realtime is joined (in case it errs), and while not. */
const LOOK_WHEN_LIVE = 20
const LOOK_WHEN_NOT = 2

export interface WatchOptions {
  signal?: AbortSignal | undefined
  /** The row as `submit` returned it, to begin with. */
  known?: Job | undefined
}

/**
 * Follow a job: `onChange` gets the row now and whenever it changes; resolves with the finished row.
 *
 * Messages of Realtime are applied as they come. The row is read again each time the channel is
 * joined, when the page wakes up, and every few seconds while the socket is down. Aborting the
 * signal ends the watching, not the job. Raises `job_not_found`, `not_signed_in`, or the signal's
 * reason; a broken connection is waited out.
 */
export function watchJob(
  client: Client,
  feed: Feed,
  id: string,
  onChange: (job: Job) => void,
  { signal, known: given }: WatchOptions = {},
): Promise<Job> {
  return new Promise((resolve, reject) => {
    let known: Job | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let reading = false
    let readAgain = false
    let ended = false

    const end = () => {
      ended = true
      clearTimeout(timer)
      stopListening()
      signal?.removeEventListener('abort', abort)
    }
    const abort = () => {
      end()
      reject(signal?.reason)
    }

    const show = (job: Job) => {
      if (job !== known) {
        known = job
        onChange(job)
      }
    }

    /** One read at a time, and one more when something happened meanwhile: the last one is true. */
    const read = async () => {
      if (reading) {
        readAgain = true
        return
      }
      reading = true
      clearTimeout(timer)
      try {
        do {
          readAgain = false
          const row = await readJob(client, id)
          if (ended) return
          if (!readAgain) show(mergeRow(known, row))
        } while (readAgain)
        if (known && isFinal(known)) {
          end()
          return resolve(known)
        }
      } catch (error) {
        if (ended) return
        if (!isTransient(error)) {
          end()
          return reject(error)
        }
      } finally {
        reading = false
      }
      timer = setTimeout(read, 1000 * (feed.live ? LOOK_WHEN_LIVE : LOOK_WHEN_NOT))
    }

    if (signal?.aborted) return reject(signal.reason)
    const stopListening = feed.listen({
      onStale: read,
      onChange: (change) => {
        if (change.id !== id) return
        if (reading) readAgain = true
        if (!known) return
        const { job, doubt } = mergeChange(known, change)
        // The message lacks some columns, so the end is read.
        if (doubt || isFinal(job)) void read()
        else show(job)
      },
    })
    signal?.addEventListener('abort', abort, { once: true })
    if (given) {
      // The claim may have been heard of before the answer to the submission was.
      const heard = feed.latest(id)
      show(heard ? mergeChange(given, heard).job : given)
    }
    void read()
  })
}

/** Raises `job_not_found`, `network`, `not_signed_in`. */
export async function readJob(client: Client, id: string): Promise<Job> {
  const { data, error, status } = await client
    .from('video_jobs')
    .select('*')
    .eq('id', id)
    .maybeSingle()
  if (error) throw fromDatabase(error, status)
  if (!data) throw new VideoServiceError('job_not_found')
  return data
}
