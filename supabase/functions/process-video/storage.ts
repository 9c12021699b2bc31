/** The user's own files in Storage, reached with the user's own token. */

import type { SupabaseClient } from '@supabase/supabase-js'
import { fault, Problem, type ProblemCode } from '../_shared/problem.ts'
import type { SubtitleFile } from './subtitles.ts'

/** Throws `path_not_yours` unless the path lies in the user's folder. */
export function requireOwn(userId: string, field: string, path: string): void {
  if (!path.startsWith(`${userId}/`)) throw new Problem('path_not_yours', { field })
}

/** Throws the problem `missing` if the user has no such object. */
export async function requireObject(
  supabase: SupabaseClient,
  bucket: string,
  path: string,
  missing: ProblemCode,
): Promise<void> {
  const { error } = await supabase.storage.from(bucket).info(path)
  if (!error) return
  if (statusOf(error) === 404) throw new Problem(missing)
  throw fault(statusOf(error), error)
}

/** Returns the path. Throws `subtitles_too_large` where the bucket has a limit. */
export async function saveSubtitles(
  supabase: SupabaseClient,
  userId: string,
  { name, content }: SubtitleFile,
): Promise<string> {
  const path = `${userId}/${name}`
  const { error } = await supabase.storage.from('subtitles').upload(path, content)
  if (!error || statusOf(error) === 409) return path // it is there, with this very content
  if (statusOf(error) === 413) {
    throw new Problem('subtitles_too_large', { reason: 'the bucket takes no file of this size' })
  }
  throw fault(statusOf(error), error)
}

/** Storage answers most errors with HTTP status 400 and writes the true one into the body. */
function statusOf(error: { status?: number; statusCode?: string }): number {
  return Number(error.statusCode) || error.status || 0
}
