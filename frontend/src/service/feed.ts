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

export function createFeed(client: Client): Feed {
  const listeners = new Set<FeedListener>()
  const heard = new Map<string, JobChange>()
  let channel: RealtimeChannel | undefined
  let live = false
  // Joining takes two requests; who stops listening meanwhile makes the rest of it void.
  let generation = 0

  const stale = () => {
    for (const listener of [...listeners]) listener.onStale()
  }

  const wake = () => {
    if (document.visibilityState === 'visible') stale()
  }

  async function open() {
    const own = ++generation
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

  function close() {
    generation++
    live = false
    heard.clear()
    if (channel) void client.removeChannel(channel)
    channel = undefined
  }

  return {
    get live() {
      return live
    },
    latest: (id) => heard.get(id),
    listen(listener) {
      listeners.add(listener)
      if (listeners.size === 1) {
        void open()
        addEventListener('online', stale)
        document.addEventListener('visibilitychange', wake)
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) {
          removeEventListener('online', stale)
          document.removeEventListener('visibilitychange', wake)
          close()
        }
      }
    },
  }
}
