import type { SupabaseClient } from '@supabase/supabase-js'
import type { Database, Tables } from '../database.types'
import { VideoServiceError } from './errors'

/** The app's own client: anything that `createClient<Database>(…)` returns. */
export type Client = SupabaseClient<Database>

/** One row of `video_jobs`. */
export type Job = Tables<'video_jobs'>

export function isFinal(job: Pick<Job, 'status'>): boolean {
  return job.status !== 'queued' && job.status !== 'processing'
}

/** The name that the user knows the video by: the last part of its path. */
export function videoName(job: Pick<Job, 'input_path'>): string {
  return job.input_path.slice(job.input_path.lastIndexOf('/') + 1)
}

/** The user behind the client's session. Raises `not_signed_in`. */
export async function signedInUser(client: Client): Promise<{ id: string; token: string }> {
  const { data } = await client.auth.getSession()
  if (!data.session) throw new VideoServiceError('not_signed_in')
  return { id: data.session.user.id, token: data.session.access_token }
}
