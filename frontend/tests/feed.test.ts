import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFeed } from '../src/service/feed'
import type { Client } from '../src/service/job'

type Callback = (payload: Record<string, unknown>) => void

/** What the feed did to the client, in order; and how the server answers. */
class FakeClient {
  readonly did: string[] = []
  user: string | null = 'ada'
  say: (status: string) => void = () => {}
  readonly on: Record<string, Callback> = {}
  signed: (event: string) => void = () => {}

  readonly client = {
    auth: {
      getSession: async () => ({ data: { session: this.user && { user: { id: this.user } } } }),
      onAuthStateChange: (callback: (event: string) => void) => {
        this.signed = callback
      },
    },
    realtime: { setAuth: async () => void this.did.push('setAuth') },
    channel: (topic: string, { config }: { config: { private: boolean } }) => {
      const channel = {
        on: (kind: string, _: unknown, callback: Callback) => {
          this.on[kind] = callback
          return channel
        },
        subscribe: (callback: (status: string) => void) => {
          this.did.push(`join ${topic}${config.private ? ' privately' : ''}`)
          this.say = callback
          return channel
        },
      }
      return channel
    },
    removeChannel: async () => void this.did.push('leave'),
  } as unknown as Client
}

let fake: FakeClient
let page: EventTarget & { visibilityState: string }
let browser: EventTarget
let stale: number
const settle = () => vi.advanceTimersByTimeAsync(0)

function listening() {
  const feed = createFeed(fake.client)
  const heard: string[] = []
  const stop = feed.listen({ onChange: ({ id }) => heard.push(id), onStale: () => stale++ })
  return { feed, heard, stop }
}

beforeEach(() => {
  vi.useFakeTimers()
  fake = new FakeClient()
  stale = 0
  browser = new EventTarget()
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', browser.addEventListener.bind(browser))
  vi.stubGlobal('removeEventListener', browser.removeEventListener.bind(browser))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

test('the channel is private, of the user, and joined with the token', async () => {
  listening()
  await settle()
  expect(fake.did).toEqual(['setAuth', 'join video_jobs:ada privately'])
})

test('each time it is joined, and each time it breaks, something may have been missed', async () => {
  const { feed } = listening()
  await settle()
  fake.say('SUBSCRIBED')
  expect([stale, feed.live]).toEqual([1, true])
  fake.on.system?.({ status: 'ok' })
  expect(stale).toBe(2)
  fake.say('CHANNEL_ERROR')
  expect([stale, feed.live]).toEqual([3, false])
  fake.say('SUBSCRIBED')
  expect([stale, feed.live]).toEqual([4, true])
})

test('so it may have when the computer wakes up, and when the network is back', async () => {
  listening()
  await settle()
  page.dispatchEvent(new Event('visibilitychange'))
  expect(stale).toBe(1)
  page.visibilityState = 'hidden'
  page.dispatchEvent(new Event('visibilitychange'))
  expect(stale).toBe(1)
  browser.dispatchEvent(new Event('online'))
  expect(stale).toBe(2)
})

test('changes go to whoever listens, and the last one of each job is remembered', async () => {
  const { feed, heard } = listening()
  await settle()
  fake.on.broadcast?.({ payload: { id: 'job', progress: 7 } })
  expect(heard).toEqual(['job'])
  expect(feed.latest('job')).toMatchObject({ progress: 7 })
  expect(feed.latest('other')).toBeUndefined()
})

test('one channel serves all, and is left a moment after the last one went', async () => {
  const { feed, stop } = listening()
  const stopOther = feed.listen({ onChange: () => {}, onStale: () => {} })
  await settle()
  stop()
  stopOther()
  const stopNext = feed.listen({ onChange: () => {}, onStale: () => {} })
  await vi.advanceTimersByTimeAsync(10_000)
  expect(fake.did).toEqual(['setAuth', 'join video_jobs:ada privately'])
  stopNext()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(fake.did.at(-1)).toBe('leave')
})

test('who signs in next has a channel of their own', async () => {
  listening()
  await settle()
  fake.signed('SIGNED_OUT')
  fake.user = 'bob'
  fake.signed('SIGNED_IN')
  await settle()
  expect(fake.did.slice(2)).toEqual(['leave', 'setAuth', 'join video_jobs:bob privately'])
})
