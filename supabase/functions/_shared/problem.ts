/** What a function answers when it does not do what it was asked: `{ code, message, details }`. */

import catalogue from './errors.json' with { type: 'json' }

/** Status and sentence of each code. Gaps in a sentence are filled from the details. */
const PROBLEMS = {
  invalid_request: [400, 'The field {field} is not valid: {reason}. Correct it and send it again.'],
  invalid_options: [400, catalogue.invalid_options.message],
  subtitles_empty: [400, catalogue.subtitles_empty.message],
  subtitles_unreadable: [400, catalogue.subtitles_unreadable.message],
  not_signed_in: [401, 'You are not signed in. Sign in and try again.'],
  path_not_yours: [403, 'The path in {field} is not in your own folder. Upload the file yourself.'],
  input_missing: [404, catalogue.input_missing.message],
  subtitles_missing: [404, catalogue.subtitles_missing.message],
  method_not_allowed: [405, 'Send a POST request.'],
  idempotency_key_reused: [409, 'This idempotency key belongs to another job. Use a new key.'],
  request_too_large: [413, 'The request is too large: {reason}. Upload the subtitles as a file.'],
  subtitles_too_large: [413, catalogue.subtitles_too_large.message],
  quota_open_jobs: [429, '{reason}'],
  quota_jobs_per_hour: [429, '{reason}'],
  internal_error: [500, catalogue.internal_error.message],
  unavailable: [503, 'The service did not answer. Try again in a moment.'],
} as const

const OUTAGE_RETRY_SECONDS = 5

export type ProblemCode = keyof typeof PROBLEMS

export type Details = Record<string, string | number>

/** `cause` is for the log only. */
export interface ProblemOptions extends ErrorOptions {
  retryAfterSeconds?: number
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: ProblemCode,
    readonly details: Details = {},
    options: ProblemOptions = {},
  ) {
    const sentence = PROBLEMS[code][1]
    super(sentence.replace(/\{(\w+)\}/g, (_, name) => String(details[name])), options)
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  toResponse(): Response {
    const { code, message, details, retryAfterSeconds } = this
    return Response.json({ code, message, details }, {
      status: PROBLEMS[code][0],
      headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    })
  }
}

/** What another service has answered that nobody expects: it is out of order, or we are. */
export function fault(status: number, cause: unknown): Problem {
  return status === 0 || status === 429 || status >= 500
    ? new Problem('unavailable', {}, { retryAfterSeconds: OUTAGE_RETRY_SECONDS, cause })
    : new Problem('internal_error', {}, { cause })
}

export function isProblemCode(code: string): code is ProblemCode {
  return code in PROBLEMS
}
