import { expect, test, vi } from 'vitest'
import { createVideoService, VideoServiceError } from '../src/service'
import { isTransient, sentenceFor } from '../src/service/errors'
import catalogue from '../src/service/errors.json'
import { objectName } from '../src/service/upload'
import { clientAnswering, json, row } from './project'

const request = { videoPath: 'user/1/film.mp4', subtitles: 'text', idempotencyKey: 'key' }

test.each([
  ['Holiday 2026.MOV', '', 'Holiday 2026.mov'],
  ['Überblick – Straße.mp4', '', 'Uberblick - Stra-e.mp4'],
  ['映画.webm', '', 'video.webm'],
  ['../../etc/passwd', '', 'etc-passwd.mp4'],
  ['no ending', 'video/quicktime', 'no ending.mov'],
  ['', '', 'video.mp4'],
])('the name %j is fit for Storage', (name, type, expected) => {
  expect(objectName(name, type)).toBe(expected)
})

test('a request says everything in one body, and returns the job', async () => {
  const bodies: unknown[] = []
  const service = createVideoService(
    clientAnswering((url, init) => {
      expect(url.pathname).toBe('/functions/v1/process-video')
      bodies.push(JSON.parse(String(init.body)))
      return json({ job: row(0) }, 202)
    }),
  )
  await service.submit({ ...request, style: { color: '#FF0000' } })
  await service.submit({ ...request, subtitles: { path: 'user/a.srt' } })
  await service.submit({ ...request, subtitles: [{ start: 0, end: 1, text: 'Hi' }] })
  const common = { video_path: 'user/1/film.mp4', idempotency_key: 'key' }
  expect(bodies).toEqual([
    { ...common, subtitle_text: 'text', options: { style: { color: '#FF0000' } } },
    { ...common, subtitle_path: 'user/a.srt', options: {} },
    { ...common, cues: [{ start: 0, end: 1, text: 'Hi' }], options: {} },
  ])
})

test('a lost answer is asked for again with the same key', async () => {
  vi.useFakeTimers()
  const keys: string[] = []
  const service = createVideoService(
    clientAnswering((_, init) => {
      keys.push(JSON.parse(String(init.body)).idempotency_key)
      if (keys.length < 3) throw new TypeError('Failed to fetch')
      return json({ job: row(0) }, 202)
    }),
  )
  const job = service.submit(request)
  await vi.advanceTimersByTimeAsync(10_000)
  await expect(job).resolves.toMatchObject({ id: 'job' })
  expect(keys).toEqual(['key', 'key', 'key'])
  vi.useRealTimers()
})

test('an outage behind the function is waited out, as long as the function says', async () => {
  vi.useFakeTimers()
  const outage = { code: 'unavailable', message: 'Try again.', details: {} }
  let asked = 0
  const service = createVideoService(
    clientAnswering(() =>
      ++asked === 1 ? json(outage, 503, { 'retry-after': '5' }) : json({ job: row(0) }, 202),
    ),
  )
  const job = service.submit(request)
  await vi.advanceTimersByTimeAsync(4_900)
  expect(asked).toBe(1)
  await vi.advanceTimersByTimeAsync(200)
  await expect(job).resolves.toMatchObject({ id: 'job' })
  vi.useRealTimers()
})

test('what the function answers arrives with code, details and time to wait', async () => {
  const refusal = { code: 'quota_open_jobs', message: 'Too many.', details: { limit: 3 } }
  const service = createVideoService(
    clientAnswering(() => json(refusal, 429, { 'retry-after': '30' })),
  )
  const error = await service.submit(request).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(VideoServiceError)
  expect(error).toMatchObject({ ...refusal, retryAfter: 30 })
  expect(isTransient(error)).toBe(false)
})

test('an error of the database has its code, its sentence and the time to wait', async () => {
  const service = createVideoService(
    clientAnswering(() =>
      json(
        {
          code: 'PT429',
          message: 'quota_jobs_per_hour',
          details: 'You have sent 200 jobs within an hour; at most 200 are allowed.',
          hint: 'Retry after 120 seconds.',
        },
        429,
      ),
    ),
  )
  await expect(service.retry('job')).rejects.toMatchObject({
    code: 'quota_jobs_per_hour',
    retryAfter: 120,
  })
})

test('every code of the catalogue has a sentence without gaps', () => {
  for (const code of Object.keys(catalogue)) {
    expect(sentenceFor(code)).not.toMatch(/[{}]/)
  }
})
