/** The row that was submitted a moment ago: the job's page begins with it. */

import type { Job } from '../service'

let submitted: Job | undefined

export function rememberSubmitted(job: Job): void {
  submitted = job
}

export function submittedJob(id: string): Job | undefined {
  return submitted?.id === id ? submitted : undefined
}
