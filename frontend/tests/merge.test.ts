import { expect, test } from 'vitest'
import { mergeChange, mergeRow } from '../src/service/merge'
import { row, time } from './project'

const change = (at: number, columns: object = {}) => ({
  id: 'job',
  status: 'processing' as const,
  progress: 0,
  attempt: 1,
  updated_at: time(at),
  ...columns,
})

test('a message moves the job on and keeps the columns that it lacks', () => {
  const known = row(1, { progress: 10 })
  const { job, doubt } = mergeChange(known, change(2, { progress: 20, stage: 'render' }))
  expect(job).toMatchObject({ progress: 20, stage: 'render', input_path: known.input_path })
  expect(doubt).toBe(false)
})

test('a late message changes nothing', () => {
  const known = row(5, { progress: 50 })
  expect(mergeChange(known, change(4, { progress: 40 })).job).toBe(known)
})

test('times are compared as times, whatever their zone', () => {
  const known = row(0, { updated_at: '2026-01-01T00:00:05+00:00', progress: 50 })
  const late = change(0, { updated_at: '2026-01-01T01:00:04+01:00', progress: 60 })
  expect(mergeChange(known, late).job).toBe(known)
})

test('progress never falls within an attempt', () => {
  expect(mergeChange(row(1, { progress: 30 }), change(2, { progress: 20 })).job.progress).toBe(30)
  expect(mergeRow(row(1, { progress: 30 }), row(2, { progress: 20 })).progress).toBe(30)
})

test('progress starts anew with an attempt, and with a retry by hand', () => {
  const failed = row(1, { progress: 60 })
  expect(mergeRow(failed, row(2, { attempt: 2, progress: 5 })).progress).toBe(5)
  expect(mergeRow(failed, row(9, { started_at: time(8), progress: 5 })).progress).toBe(5)
  expect(mergeRow(failed, row(2, { status: 'queued', progress: 0 })).progress).toBe(0)
})

test('a finished job that a message opens again is in doubt', () => {
  const done = row(5, { status: 'completed', progress: 100 })
  expect(mergeChange(done, change(6, { progress: 90 }))).toEqual({ job: done, doubt: true })
})

test('an attempt that falls is in doubt', () => {
  const known = row(5, { attempt: 2 })
  expect(mergeChange(known, change(6, { attempt: 1 })).doubt).toBe(true)
})
