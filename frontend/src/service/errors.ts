import {
  FunctionsFetchError,
  FunctionsHttpError,
  FunctionsRelayError,
  type PostgrestError,
} from '@supabase/supabase-js'
import catalogue from './errors.json'

/** What can go wrong before there is a job; the job's own codes are in `errors.json`. */
const LOCAL = {
  not_signed_in: 'You are not signed in. Sign in and try again.',
  network: 'The connection was lost. Check it and try again.',
  cancelled: 'The job was cancelled.',
  job_not_found: 'There is no such job, or it is not yours.',
  upload_refused: 'The file store did not accept this video. Export it as MP4 and try again.',
  upload_too_large: 'The video is larger than the file store accepts. Export it smaller.',
  upload_failed: 'The video could not be uploaded. Try again.',
  unexpected: 'Something went wrong. Try again later.',
}

export type LocalCode = keyof typeof LOCAL

/** Every error that this module raises: a stable code, and a sentence for the user. */
export class VideoServiceError extends Error {
  override readonly name = 'VideoServiceError'

  constructor(
    readonly code: string,
    message: string = sentenceFor(code),
    /** What was wrong in which field, where the function says so. */
    readonly details?: unknown,
    /** Seconds after which another try may succeed. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The sentence of a code; sentences with gaps in them are on the job's row, filled in. */
export function sentenceFor(code: string): string {
  if (code in LOCAL) return LOCAL[code as LocalCode]
  const known = (catalogue as Record<string, { message: string }>)[code]
  return known && !known.message.includes('{') ? known.message : LOCAL.unexpected
}

/** Whether the same request may succeed later, unchanged. */
export function isTransient(error: unknown): boolean {
  return error instanceof VideoServiceError && ['network', 'unavailable'].includes(error.code)
}

/** An error of the Data API. Functions of this project raise their code as the message. */
export function fromDatabase(error: PostgrestError, status: number): VideoServiceError {
  if (/^[a-z]+(_[a-z]+)+$/.test(error.message)) {
    const wait = /(\d+) seconds/.exec(error.hint ?? '')?.[1]
    return new VideoServiceError(
      error.message,
      [error.details, error.hint].filter(Boolean).join(' '),
      undefined,
      wait ? Number(wait) : undefined,
      { cause: error },
    )
  }
  if (status === 0 || status === 429 || status >= 500) return wrap('network', error)
  return wrap(status === 401 ? 'not_signed_in' : 'unexpected', error)
}

/** An error of an edge function: `{code, message, details}`, or none at all. */
export async function fromFunction(error: unknown): Promise<VideoServiceError> {
  if (error instanceof FunctionsFetchError || error instanceof FunctionsRelayError) {
    return wrap('network', error)
  }
  if (!(error instanceof FunctionsHttpError)) return wrap('unexpected', error)
  const response = error.context as Response
  const body = (await response.json().catch(() => ({}))) as Partial<VideoServiceError>
  if (!body.code || !body.message) {
    return wrap(
      response.status >= 500 ? 'network' : response.status === 401 ? 'not_signed_in' : 'unexpected',
      error,
    )
  }
  const wait = Number(response.headers.get('retry-after'))
  return new VideoServiceError(body.code, body.message, body.details, wait || undefined, {
    cause: error,
  })
}

export function wrap(code: LocalCode, cause: unknown): VideoServiceError {
  return new VideoServiceError(code, LOCAL[code], undefined, undefined, { cause })
}

/** What a failed or cancelled job ends a promise with. */
export function fromJob(job: {
  status: string
  error_code: string | null
  error_message: string | null
}): VideoServiceError {
  return job.status === 'failed' && job.error_code
    ? new VideoServiceError(job.error_code, job.error_message ?? undefined)
    : new VideoServiceError('cancelled')
}
