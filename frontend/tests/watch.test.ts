import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { VideoServiceError } from '../src/service/errors'
import type { JobChange } from '../src/service/feed'
import type { Job } from '../src/service/job'
import { watchJob } from '../src/service/watch'
import { clientAnswering, FakeFeed, json, row, time } from './project'

let feed: FakeFeed
let rows: Job[]
let reads: number
let seen: Job[]
let answer: () => Response | Promise<Response>

const client = clientAnswering(() => {
  reads++
  return answer()
})
const watch = (signal?: AbortSignal) =>
  watchJob(client, feed, 'job', (job) => seen.push(job), { signal })
const settle = () => vi.advanceTimersByTimeAsync(0)
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000)

beforeEach(() => {
  vi.useFakeTimers()
  feed = new FakeFeed()
  rows = [row(1)]
  reads = 0
  seen = []
  answer = () => json(rows)
})
afterEach(() => {
  vi.useRealTimers()
})

test('it tells the row now and at each message, and resolves with the finished row', async () => {
  const finished = watch()
  await settle()
  feed.send({ id: 'job', status: 'processing', progress: 40, attempt: 1, updated_at: time(2) })
  rows = [row(3, { status: 'completed', progress: 100, output_path: 'user/out.mp4' })]
  feed.send({ id: 'job', status: 'completed', progress: 100, attempt: 1, updated_at: time(3) })
  // The message has no output_path: the row is read before anyone is told.
  await expect(finished).resolves.toMatchObject({ output_path: 'user/out.mp4' })
  expect(seen.map((job) => job.progress)).toEqual([0, 40, 100])
  expect(feed.listening).toBe(0)
})

test('it begins with the row that was submitted, and with what was heard of it since', async () => {
  const controller = new AbortController()
  const change = { id: 'job', status: 'processing', progress: 0, attempt: 1, updated_at: time(2) }
  feed.heard.set('job', change as JobChange)
  const known = row(1, { status: 'queued', attempt: 0 })
  const options = { signal: controller.signal, known }
  const ended = watchJob(client, feed, 'job', (job) => seen.push(job), options).catch(
    () => 'aborted',
  )
  expect(seen.map((job) => job.status)).toEqual(['processing'])
  controller.abort()
  await ended
})

test('messages of other jobs are ignored', async () => {
  const controller = new AbortController()
  const ended = watch(controller.signal).catch(() => 'aborted')
  await settle()
  feed.send({ id: 'other', status: 'completed', progress: 100, attempt: 1, updated_at: time(9) })
  await settle()
  expect([seen.length, reads]).toEqual([1, 1])
  controller.abort()
  await ended
})

test('what was missed before the channel was joined is read when it is', async () => {
  const finished = watch()
  await settle()
  rows = [row(2, { status: 'failed', error_code: 'invalid_video', error_message: 'No.' })]
  feed.stale()
  await expect(finished).resolves.toMatchObject({ error_code: 'invalid_video' })
})

test('a read that a message overtook is done again', async () => {
  let release: (response: Response) => void = () => undefined
  const finished = watch()
  await settle()
  answer = () => new Promise((resolve) => (release = resolve))
  feed.stale()
  await settle()
  feed.send({ id: 'job', status: 'processing', progress: 70, attempt: 1, updated_at: time(5) })
  answer = () => json([row(6, { status: 'completed', output_path: 'x' })])
  release(json([row(2, { progress: 20 })]))
  await finished
  expect(seen.map((job) => [job.status, job.progress])).toEqual([
    ['processing', 0],
    ['processing', 70],
    ['completed', 0],
  ])
})

test('many messages at once make one read, and one more', async () => {
  const controller = new AbortController()
  const ended = watch(controller.signal).catch(() => 'aborted')
  await settle()
  for (let n = 0; n < 20; n++) feed.stale()
  await settle()
  expect(reads).toBe(3)
  controller.abort()
  await ended
})

describe('without Realtime', () => {
  test('the row is read every two seconds while the socket is down', async () => {
    feed.live = false
    const finished = watch()
    await seconds(10)
    expect(reads).toBe(6)
    rows = [row(9, { status: 'completed', output_path: 'x' })]
    await seconds(2)
    await finished
  })

  test('it is read now and then even while the socket seems to live', async () => {
    const finished = watch()
    await seconds(19)
    expect(reads).toBe(1)
    rows = [row(9, { status: 'completed', output_path: 'x' })]
    await seconds(1)
    await finished
  })

  test('an outage is waited out', async () => {
    feed.live = false
    answer = () => Promise.reject(new TypeError('Failed to fetch'))
    const finished = watch()
    await seconds(60)
    expect(reads).toBeGreaterThan(10)
    answer = () => json([row(9, { status: 'completed', output_path: 'x' })])
    await seconds(2)
    await expect(finished).resolves.toMatchObject({ status: 'completed' })
  })
})

test('a job that is not there ends the watching with a code', async () => {
  rows = []
  await expect(watch()).rejects.toMatchObject({ code: 'job_not_found' })
  expect(feed.listening).toBe(0)
})

test('an expired session ends the watching with a code', async () => {
  answer = () => json({ code: 'PGRST303', message: 'JWT expired', details: null, hint: null }, 401)
  await expect(watch()).rejects.toBeInstanceOf(VideoServiceError)
})

test('aborting ends the watching and leaves nothing behind', async () => {
  const controller = new AbortController()
  const finished = watch(controller.signal)
  await settle()
  controller.abort(new Error('enough'))
  await expect(finished).rejects.toThrow('enough')
  expect([feed.listening, vi.getTimerCount()]).toEqual([0, 0])
})
