import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adviceFor } from '../src/jobs/advice'
import catalogue from '../src/service/errors.json'

const PROBLEMS = readFileSync(
  `${import.meta.dirname}/../../supabase/functions/_shared/problem.ts`,
  'utf8',
)

const codes = [
  ...Object.keys(catalogue),
  ...[...PROBLEMS.matchAll(/^ {2}(\w+): \[\d{3},/gm)].map((match) => match[1] ?? ''),
]

test.each(codes)('%s has a title, and a next step that fits it', (code) => {
  const { title, action } = adviceFor(code)
  expect(title).not.toBe('')
  const problem = (catalogue as Record<string, { retry: boolean }>)[code]
  // What the worker has tried again by itself is not for the user to mend.
  if (problem?.retry && code !== 'input_changed') expect(action).toBe('retry')
  if (problem && !problem.retry) expect(action).toBe('edit')
})

test('the codes of the edge function were found', () => {
  expect(codes).toContain('idempotency_key_reused')
})
