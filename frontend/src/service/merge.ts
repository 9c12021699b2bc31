import type { JobChange } from './feed'
import { isFinal, type Job } from './job'

export interface Merged {
  job: Job
  /** The message contradicts what is known: only the row can tell. */
  doubt: boolean
}

/** A row that was just read is the truth; only its progress is kept from falling within a run. */
export function mergeRow(known: Job | undefined, row: Job): Job {
  if (!known || !sameRun(known, row)) return row
  return { ...row, progress: Math.max(known.progress, row.progress) }
}

/** A message may be late, doubled or out of order. */
export function mergeChange(known: Job, change: JobChange): Merged {
  if (isOlder(change, known)) return { job: known, doubt: false }
  // Finished and then open again: tried anew, or a message that was overtaken.
  const reopened = isFinal(known) && !isFinal(change)
  if (reopened || change.attempt < known.attempt) return { job: known, doubt: true }
  const job = { ...known, ...change }
  if (sameRun(known, job)) job.progress = Math.max(known.progress, job.progress)
  return { job, doubt: false }
}

/** Progress starts anew with every attempt, and with every run after a retry by hand. */
function sameRun(a: Job, b: Job): boolean {
  return (
    a.status === 'processing' &&
    b.status === 'processing' &&
    a.attempt === b.attempt &&
    a.started_at === b.started_at
  )
}

function isOlder(a: Pick<Job, 'updated_at'>, b: Pick<Job, 'updated_at'>): boolean {
  return Date.parse(a.updated_at) < Date.parse(b.updated_at)
}
