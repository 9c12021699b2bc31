import { useCallback, useEffect, useRef, useState } from 'react'
import type { Job, VideoService } from './service'
import { VideoServiceError } from './service'

const AHEAD_AFTER_SECONDS = 0.5
const AHEAD_SECONDS = 5

export interface VideoJob {
  /** The row as it is now; undefined until it was read. */
  job: Job | undefined
  /** How many jobs come before this one, while it waits. */
  ahead: number | null
  /** The job can't be followed: it does not exist, or nobody is signed in. */
  error: VideoServiceError | undefined
  cancel(): Promise<void>
  retry(): Promise<void>
}

/**
 * Follow a job while the component is mounted. `service` has to be the same one on every render.
 * `known`: its row as `submit` returned it, if it was sent a moment ago.
 */
export function useVideoJob(service: VideoService, id: string, known?: Job): VideoJob {
  const [job, setJob] = useState<Job>()
  const [ahead, setAhead] = useState<number | null>(null)
  const [error, setError] = useState<VideoServiceError>()
  const [run, setRun] = useState(0)
  const first = useRef(known)

  // biome-ignore lint/correctness/useExhaustiveDependencies: a retried job is watched anew
  useEffect(() => {
    const controller = new AbortController()
    setError(undefined)
    service
      .watch(id, setJob, { signal: controller.signal, known: first.current })
      .catch((reason: unknown) => {
        if (!controller.signal.aborted) setError(asError(reason))
      })
    return () => controller.abort()
  }, [service, id, run])

  const waiting = job?.status === 'queued'
  useEffect(() => {
    setAhead(null)
    if (!waiting) return
    let current = true
    const ask = () => {
      // A number that is not there is not shown; the watching above tells of a broken connection.
      service.jobsAhead(id).then((count) => current && setAhead(count), console.warn)
    }
    // Most jobs begin at once, and their place in the line is nobody's question.
    const first = setTimeout(ask, AHEAD_AFTER_SECONDS * 1000)
    const timer = setInterval(ask, AHEAD_SECONDS * 1000)
    return () => {
      current = false
      clearTimeout(first)
      clearInterval(timer)
    }
  }, [service, id, waiting])

  const cancel = useCallback(async () => setJob(await service.cancel(id)), [service, id])
  const retry = useCallback(async () => {
    first.current = await service.retry(id)
    setJob(first.current)
    setRun((count) => count + 1)
  }, [service, id])

  return { job: job?.id === id ? job : undefined, ahead, error, cancel, retry }
}

function asError(reason: unknown): VideoServiceError {
  return reason instanceof VideoServiceError ? reason : new VideoServiceError('unexpected')
}
