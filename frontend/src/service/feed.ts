import type { RealtimeChannel } from '@supabase/supabase-js'
import type { Client, Job } from './job'

/** What a broadcast carries of a row: see migrations/*_realtime.sql. */
export type JobChange = Pick<Job, 'id' | 'status' | 'progress' | 'attempt' | 'updated_at'> &
  Partial<Job>

export interface FeedListener {
  /** A job changed. */
  onChange(change: JobChange): void
  /** Something may have been missed: read again. */
  onStale(): void
}

/**
 * One private Realtime channel for all jobs of the user, open while someone listens.
 *
 * A message is a hint and a row is the truth: whatever may have been missed (before the channel was
 * joined, while the socket was down, while the computer slept) is told by `onStale`.
 */
export interface Feed {
  /** Whether changes arrive by themselves; otherwise listeners have to look. */
  readonly live: boolean
  /** The last change of a job that was heard of since the channel was joined. */
  latest(id: string): JobChange | undefined
  listen(listener: FeedListener): () => void
}

/** From one page of an app to the next, the channel stays open. */
const LINGER_SECONDS = 3

export function createFeed(client: Client): Feed {
  const listeners = new Set<FeedListener>()
  const heard = new Map<string, JobChange>()
  let channel: RealtimeChannel | undefined
  let live = false
  let open = false
  let closing: ReturnType<typeof setTimeout> | undefined
  // Joining takes two requests; a channel that is not wanted any more makes the rest of it void.
  let generation = 0

  const stale = () => {
    for (const listener of [...listeners]) listener.onStale()
  }

  const wake = () => {
    if (document.visibilityState === 'visible') stale()
  }

  async function join() {
    const own = ++generation
    open = true
    addEventListener('online', stale)
    document.addEventListener('visibilitychange', wake)
    const { data } = await client.auth.getSession()
    // A join without the user's token would be refused.
    await client.realtime.setAuth()
    if (own !== generation || !data.session) return
    channel = client
      .channel(`video_jobs:${data.session.user.id}`, { config: { private: true } })
      .on('broadcast', { event: 'video_job' }, ({ payload }) => {
        const change = payload as JobChange
        heard.set(change.id, change)
        for (const listener of [...listeners]) listener.onChange(change)
      })
      .subscribe((status) => {
        if (own !== generation) return
        live = status === 'SUBSCRIBED'
        stale()
      })
    // The server's word that changes flow from now on may come after the join.
    channel.on('system', {}, ({ status }: { status: string }) => {
      if (status === 'ok') stale()
    })
  }

  function leave() {
    clearTimeout(closing)
    generation++
    open = false
    live = false
    removeEventListener('online', stale)
    document.removeEventListener('visibilitychange', wake)
    heard.clear()
    if (channel) void client.removeChannel(channel)
    channel = undefined
  }

  // Whoever signs in next has a channel of their own.
  client.auth.onAuthStateChange((event) => {
    if (event === 'SIGNED_OUT') leave()
    else if (!channel && listeners.size > 0) void join()
  })

  return {
    get live() {
      return live
    },
    latest: (id) => heard.get(id),
    listen(listener) {
      listeners.add(listener)
      clearTimeout(closing)
      if (!open) void join()
      return () => {
        const last = listeners.delete(listener) && listeners.size === 0
        if (last) closing = setTimeout(leave, LINGER_SECONDS * 1000)
      }
    },
  }
}
