import { useCallback, useEffect, useRef, useState } from 'react'
import type { Job, VideoService, VideoServiceError } from '../service'
import { mergeChange, mergeRow } from '../service/merge'

const PAGE = 20
const LOOK_WHEN_NOT_LIVE = 4

export interface Jobs {
  /** Newest first; undefined until they were read. */
  jobs: Job[] | undefined
  error: VideoServiceError | undefined
  hasMore: boolean
  loadMore(): void
}

/** The user's jobs, kept up to date while the component is mounted. */
export function useJobs(service: VideoService): Jobs {
  const [jobs, setJobs] = useState<Job[]>()
  const [error, setError] = useState<VideoServiceError>()
  const [limit, setLimit] = useState(PAGE)
  const known = useRef<Job[]>([])

  const show = useCallback((next: Job[]) => {
    known.current = next
    setJobs(next)
  }, [])

  useEffect(() => {
    let current = true
    const read = () => {
      service.list({ limit }).then(
        (rows) => {
          if (!current) return
          const before = new Map(known.current.map((job) => [job.id, job]))
          show(rows.map((row) => mergeRow(before.get(row.id), row)))
          setError(undefined)
        },
        (reason) => current && setError(reason),
      )
    }
    const stop = service.feed.listen({
      onStale: read,
      onChange: (change) => {
        const job = known.current.find(({ id }) => id === change.id)
        const merged = job && mergeChange(job, change)
        // One that is new, or finished: the message lacks some columns.
        if (!merged || merged.doubt || merged.job.status !== job.status) return read()
        show(known.current.map((other) => (other === job ? merged.job : other)))
      },
    })
    const timer = setInterval(() => service.feed.live || read(), LOOK_WHEN_NOT_LIVE * 1000)
    read()
    return () => {
      current = false
      stop()
      clearInterval(timer)
    }
  }, [service, limit, show])

  return {
    jobs,
    error,
    hasMore: jobs !== undefined && jobs.length >= limit,
    loadMore: () => setLimit((value) => value + PAGE),
  }
}
