/** What a client asks for: read, measured and checked before anything is done. */

import cuesSchema from '../_shared/cues.schema.json' with { type: 'json' }
import optionsSchema from '../_shared/options.schema.json' with { type: 'json' }
import { Problem } from '../_shared/problem.ts'
import { createCheck } from '../_shared/schema.ts'

/** A subtitle file may have 5 MiB; as a string within JSON it is somewhat longer. */
const MAX_BODY_BYTES = 10 * 1024 * 1024

/** What is used of it here; the schema in _shared says what else a cue may hold. */
export type Cue = { start: number; end: number; text: string }

export interface JobRequest {
  video_path: string
  cues?: Cue[]
  subtitle_text?: string
  subtitle_path?: string
  options?: Record<string, unknown>
  idempotency_key?: string
}

/** As the table wants it: two segments or more, none of them empty, `.` or `..`. */
const PATH = {
  type: 'string',
  maxLength: 1024,
  pattern: '^(?!(.*/)?\\.{1,2}(/|$))[^/\\\\\\p{Cc}]+(/[^/\\\\\\p{Cc}]+)+$',
} as const

const { $defs: cueDefs } = cuesSchema
const { $defs: optionDefs, $schema: _, ...options } = optionsSchema

const check = createCheck({
  $defs: { ...cueDefs, ...optionDefs },
  type: 'object',
  additionalProperties: false,
  required: ['video_path'],
  properties: {
    video_path: PATH,
    cues: { type: 'array', items: { $ref: '#/$defs/JsonCue' } },
    subtitle_text: { type: 'string' },
    subtitle_path: PATH,
    options,
    idempotency_key: { type: 'string', minLength: 1, maxLength: 200 },
  },
})

/** Throws `request_too_large`, `invalid_request` or `invalid_options`. */
export async function readRequest(request: Request): Promise<JobRequest> {
  const value = parse(await readText(request))
  const fault = check(value)
  if (fault) {
    const isOption = /^options\b/.test(fault.field)
    const field = fault.field || 'body'
    throw new Problem(isOption ? 'invalid_options' : 'invalid_request', { ...fault, field })
  }
  const asked = value as JobRequest
  const given = [asked.cues, asked.subtitle_text, asked.subtitle_path]
  if (given.filter((one) => one !== undefined).length !== 1) {
    const reason = 'give one of cues, subtitle_text and subtitle_path'
    throw new Problem('invalid_request', { field: 'cues', reason })
  }
  return asked
}

async function readText(request: Request): Promise<string> {
  const parts: Uint8Array[] = []
  let length = Number(request.headers.get('content-length') ?? 0)
  if (length <= MAX_BODY_BYTES) {
    length = 0
    for await (const part of request.body ?? []) {
      parts.push(part)
      length += part.length
      if (length > MAX_BODY_BYTES) break
    }
  }
  if (length > MAX_BODY_BYTES) {
    throw new Problem('request_too_large', {
      reason: `at most ${MAX_BODY_BYTES >> 20} MB are read`,
    })
  }
  return await new Blob(parts as BlobPart[]).text()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Problem('invalid_request', { field: 'body', reason: `it is no JSON: ${reason}` })
  }
}
