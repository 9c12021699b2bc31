import { fromDatabase, wrap } from './errors'
import { type Client, type Job, videoName } from './job'

const URL_SECONDS = 3600

/** The user's jobs, newest first: `limit` of them, those before `before` (a `created_at`). */
export async function listJobs(
  client: Client,
  { limit = 20, before }: { limit?: number; before?: string | undefined } = {},
): Promise<Job[]> {
  let query = client.from('video_jobs').select('*').order('created_at', { ascending: false })
  if (before) query = query.lt('created_at', before)
  const { data, error, status } = await query.limit(limit)
  if (error) throw fromDatabase(error, status)
  return data
}

/** Cancel a job: a waiting one ends at once, a running one within seconds. */
export async function cancelJob(client: Client, id: string): Promise<Job> {
  const { data, error, status } = await client.rpc('cancel_video_job', { job_id: id })
  if (error) throw fromDatabase(error, status)
  return data
}

/** Queue a failed or cancelled job again. */
export async function retryJob(client: Client, id: string): Promise<Job> {
  const { data, error, status } = await client.rpc('retry_video_job', { job_id: id })
  if (error) throw fromDatabase(error, status)
  return data
}

/** How many jobs, of all users, come before this one; null when it does not wait. */
export async function jobsAhead(client: Client, id: string): Promise<number | null> {
  const { data, error, status } = await client.rpc('video_jobs_ahead', { job_id: id })
  if (error) throw fromDatabase(error, status)
  return data
}

/** The job that was made with this key, if there is one. */
export async function findByKey(client: Client, key: string): Promise<Job | null> {
  const query = client.from('video_jobs').select('*').eq('idempotency_key', key)
  const { data, error, status } = await query.maybeSingle()
  if (error) throw fromDatabase(error, status)
  return data
}

interface OutputInfo {
  sidecars?: Record<string, string>
}

export interface ResultUrls {
  /** To play. */
  video: string
  /** To save: the browser gives the file its name. */
  download: string
  /** To save what option `sidecars` asked for. */
  sidecars: { kind: string; url: string }[]
}

/** Addresses of a completed job's video, good for an hour. */
export async function resultUrls(client: Client, job: Job): Promise<ResultUrls> {
  const path = job.output_path ?? ''
  const name = videoName(job).replace(/\.\w+$/, '')
  const sign = async (from: string, download?: string) => {
    const options = download === undefined ? {} : { download }
    const { data, error } = await client.storage
      .from('renders')
      .createSignedUrl(from, URL_SECONDS, options)
    if (error) throw wrap('network', error)
    return data.signedUrl
  }
  const files = Object.entries((job.output_info as OutputInfo | null)?.sidecars ?? {})
  const [video, download, sidecars] = await Promise.all([
    sign(path),
    sign(path, `${name}-subtitled.mp4`),
    Promise.all(
      files.map(async ([kind, from]) => ({ kind, url: await sign(from, `${name}.${kind}`) })),
    ),
  ])
  return { video, download, sidecars }
}

/** Addresses of the jobs' posters by job id; a job without one is left out. */
export async function posterUrls(client: Client, jobs: Job[]): Promise<Map<string, string>> {
  const withPoster = jobs.filter((job) => job.poster_path)
  if (withPoster.length === 0) return new Map()
  const paths = withPoster.map((job) => job.poster_path ?? '')
  const { data, error } = await client.storage.from('renders').createSignedUrls(paths, URL_SECONDS)
  if (error) throw wrap('network', error)
  const urls = new Map(data.map((item) => [item.path, item.signedUrl]))
  return new Map(withPoster.map((job) => [job.id, urls.get(job.poster_path ?? '') ?? '']))
}
