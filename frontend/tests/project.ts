/** A real supabase-js client on scripted answers, and a feed whose messages the test sends. */

import { createClient } from '@supabase/supabase-js'
import type { Database } from '../src/database.types'
import type { Feed, FeedListener, JobChange } from '../src/service/feed'
import type { Client, Job } from '../src/service/job'

export type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>

export function clientAnswering(answer: Answer): Client {
  return createClient<Database>('http://project.test', 'sb_publishable_test', {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: async (input, init) => answer(new URL(String(input)), init ?? {}) },
  })
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })

export class FakeFeed implements Feed {
  live = true
  readonly heard = new Map<string, JobChange>()
  latest = (id: string) => this.heard.get(id)
  private readonly listeners = new Set<FeedListener>()

  listen(listener: FeedListener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  get listening() {
    return this.listeners.size
  }

  send(change: Partial<JobChange>) {
    for (const listener of [...this.listeners]) listener.onChange(change as JobChange)
  }

  stale() {
    for (const listener of [...this.listeners]) listener.onStale()
  }
}

const START = Date.parse('2026-01-01T00:00:00Z')

/** A row as it is `at` seconds after the start. */
export function row(at: number, columns: Partial<Job> = {}): Job {
  return {
    attempt: 1,
    cancel_requested_at: null,
    created_at: time(0),
    error_code: null,
    error_message: null,
    eta_seconds: null,
    finished_at: null,
    id: 'job',
    idempotency_key: null,
    input_path: 'user/1/film.mp4',
    max_attempts: 3,
    options: {},
    output_info: null,
    output_path: null,
    place: 1,
    poster_path: null,
    priority: 0,
    progress: 0,
    run_at: time(0),
    stage: null,
    started_at: time(1),
    status: 'processing',
    subtitle_path: 'user/1/film.srt',
    updated_at: time(at),
    user_id: 'user',
    ...columns,
  } as Job
}

export function time(at: number): string {
  return new Date(START + at * 1000).toISOString()
}
