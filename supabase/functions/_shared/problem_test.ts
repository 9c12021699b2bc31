import assert from 'node:assert/strict'
import { fault, Problem } from './problem.ts'

Deno.test('an answer has its status, code, sentence and details', async () => {
  const details = { field: 'cues[0].start', reason: 'it is no number' }
  const answer = new Problem('invalid_request', details).toResponse()
  assert.equal(answer.status, 400)
  assert.deepEqual(await answer.json(), {
    code: 'invalid_request',
    message: 'The field cues[0].start is not valid: it is no number. Correct it and send it again.',
    details,
  })
  assert.equal(answer.headers.get('retry-after'), null)
})

Deno.test('an answer says when to ask again', () => {
  const answer = new Problem('quota_open_jobs', { reason: 'Too many.' }, {
    retryAfterSeconds: 30,
  }).toResponse()
  assert.equal(answer.status, 429)
  assert.equal(answer.headers.get('retry-after'), '30')
})

for (const status of [0, 429, 500, 503]) {
  Deno.test(`a service that answers ${status} may be asked again`, () => {
    const { code, retryAfterSeconds } = fault(status, 'why')
    assert.deepEqual([code, retryAfterSeconds], ['unavailable', 5])
  })
}

Deno.test('a service that refuses us will refuse us again', () => {
  assert.equal(fault(403, 'why').code, 'internal_error')
})
