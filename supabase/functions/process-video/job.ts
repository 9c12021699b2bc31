/** The row that is the job. */

import { isDeepStrictEqual } from 'node:util'
import type { PostgrestError, SupabaseClient } from '@supabase/supabase-js'
import { fault, isProblemCode, Problem } from '../_shared/problem.ts'

export interface NewJob {
  input_path: string
  subtitle_path: string
  options: Record<string, unknown>
  idempotency_key?: string
  traceparent?: string
}

export type Job = NewJob & { id: string }

/** When the database does not say how long to wait until there is room for another job. */
const QUOTA_RETRY_SECONDS = 30

/**
 * Inserts the job as the user, or finds the one that the same request has made before.
 *
 * Two such requests at once are told apart by the table: its admission of rows lets one in, and
 * refuses the other as a duplicate, whatever the quota says. The subtitles are part of the
 * comparison, since the path of what a request brings is made from its content.
 *
 * Throws `idempotency_key_reused`, `quota_…`, `unavailable`, `internal_error`.
 */
export async function insertJob(
  supabase: SupabaseClient,
  wanted: NewJob,
): Promise<{ job: Job; isNew: boolean }> {
  const table = supabase.from('video_jobs')
  const inserted = await table.insert(wanted).select().single()
  if (!inserted.error) return { job: inserted.data, isNew: true }
  const key = wanted.idempotency_key
  if (inserted.error.code !== '23505' || key === undefined) {
    throw refusal(inserted.error, inserted.status)
  }
  const found = await table.select().eq('idempotency_key', key).single()
  if (found.error) throw refusal(found.error, found.status)
  const job: Job = found.data
  const isSame = job.input_path === wanted.input_path &&
    job.subtitle_path === wanted.subtitle_path &&
    isDeepStrictEqual(job.options, wanted.options)
  if (!isSame) throw new Problem('idempotency_key_reused', { job_id: job.id })
  return { job, isNew: false }
}

function refusal(error: PostgrestError, status: number): Problem {
  if (status === 429 && isProblemCode(error.message)) {
    const seconds = /(\d+) seconds/.exec(error.hint ?? '')?.[1]
    const reason = [error.details, error.hint].filter(Boolean).join(' ')
    const retryAfterSeconds = Number(seconds ?? QUOTA_RETRY_SECONDS)
    return new Problem(error.message, { reason }, { retryAfterSeconds })
  }
  return fault(status, error)
}
