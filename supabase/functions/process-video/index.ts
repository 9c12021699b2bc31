/**
 * Takes an order to burn subtitles into a video: checks it, writes the subtitle file, inserts the
 * row that is the job. The video itself is in Storage already and never passes through here.
 *
 * The request, its answers and every error: docs/edge-function.md.
 */

import { ErrorCodeHeader, withSupabase } from '@supabase/server'
import type { SupabaseClient } from '@supabase/supabase-js'
import { corsHeaders } from '@supabase/supabase-js/cors'
import { Problem } from '../_shared/problem.ts'
import { insertJob } from './job.ts'
import { type JobRequest, readRequest } from './request.ts'
import { requireObject, requireOwn, saveSubtitles } from './storage.ts'
import { makeSubtitleFile } from './subtitles.ts'

/** As the table wants it; a header that is something else is left out. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Two hours are the most that Chromium remembers what a page may send. */
const CORS = {
  headers: {
    ...corsHeaders,
    'access-control-expose-headers': 'retry-after',
    'access-control-max-age': '7200',
  },
}

const serve = withSupabase({ auth: 'user', cors: CORS }, async (request, context) => {
  try {
    // A page that is about to ask has woken the function, and knows that it may.
    if (request.method === 'GET') return new Response(null, { status: 204 })
    if (request.method !== 'POST') throw new Problem('method_not_allowed')
    return await processVideo(request, context.supabase, context.userClaims!.id)
  } catch (error) {
    return answer(error)
  }
})

export default {
  async fetch(request: Request): Promise<Response> {
    return inOurShape(await serve(request))
  },
}

async function processVideo(
  request: Request,
  supabase: SupabaseClient,
  userId: string,
): Promise<Response> {
  const asked = await readRequest(request)
  requireOwn(userId, 'video_path', asked.video_path)
  // At once: the subtitles of a request that is refused now are there when it is sent again.
  const [subtitlePath] = await Promise.all([
    subtitles(supabase, userId, asked),
    requireObject(supabase, 'videos', asked.video_path, 'input_missing'),
  ])
  const traceparent = request.headers.get('traceparent') ?? ''
  const { job, isNew } = await insertJob(supabase, {
    input_path: asked.video_path,
    subtitle_path: subtitlePath,
    options: asked.options ?? {},
    idempotency_key: asked.idempotency_key,
    traceparent: TRACEPARENT.test(traceparent) ? traceparent : undefined,
  })
  return Response.json({ job }, { status: isNew ? 202 : 200 })
}

/** The path of the subtitles, which are there when this returns. */
async function subtitles(
  supabase: SupabaseClient,
  userId: string,
  { cues, subtitle_text, subtitle_path }: JobRequest,
): Promise<string> {
  if (subtitle_path === undefined) {
    return await saveSubtitles(supabase, userId, makeSubtitleFile(cues, subtitle_text))
  }
  requireOwn(userId, 'subtitle_path', subtitle_path)
  await requireObject(supabase, 'subtitles', subtitle_path, 'subtitles_missing')
  return subtitle_path
}

function answer(error: unknown): Response {
  const problem = error instanceof Problem
    ? error
    : new Problem('internal_error', {}, { cause: error })
  if (problem.cause !== undefined) console.error(problem.code, problem.cause)
  return problem.toResponse()
}

/** What `withSupabase` refuses by itself comes in a shape of its own. */
async function inOurShape(response: Response): Promise<Response> {
  const reason = response.headers.get(ErrorCodeHeader)
  if (reason === null) return response
  const code = response.status === 401 ? 'not_signed_in' : 'internal_error'
  if (code === 'internal_error') console.error(code, await response.text())
  const ours = new Problem(code, { reason }).toResponse()
  response.headers.forEach((value, name) => {
    if (!ours.headers.has(name) && name !== 'content-length') ours.headers.set(name, value)
  })
  return ours
}
