import assert from 'node:assert/strict'
import { readRequest } from './request.ts'

function posted(body: BodyInit): Request {
  return new Request('https://project.test/process-video', { method: 'POST', body })
}

const whole = { video_path: 'user/v.mp4', subtitle_text: 'text' }

Deno.test('a request is read as it was sent', async () => {
  assert.deepEqual(await readRequest(posted(JSON.stringify(whole))), whole)
})

Deno.test('a body without end is left when it is too large', async () => {
  let sent = 0
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(1024 * 1024))
      sent += 1
    },
  })
  await assert.rejects(readRequest(posted(endless)), { code: 'request_too_large' })
  assert.ok(sent < 20, `${sent} MB were read`)
})

for (
  const path of ['v.mp4', '/v.mp4', 'user/', 'user/../v', 'user/.', 'user//v', 'user/a\u0085b']
) {
  Deno.test(`${JSON.stringify(path)} is no path of an object`, async () => {
    await assert.rejects(readRequest(posted(JSON.stringify({ ...whole, video_path: path }))), {
      details: { field: 'video_path', reason: 'string does not match pattern' },
    })
  })
}

for (const path of ['user/v.mp4', 'user/a/.b', 'user/..a/b..', 'user/映画 (1).mp4']) {
  Deno.test(`${JSON.stringify(path)} is a path of an object`, async () => {
    const request = { ...whole, video_path: path }
    assert.deepEqual(await readRequest(posted(JSON.stringify(request))), request)
  })
}
