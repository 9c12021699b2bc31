/** How the page hears of what happens: by Realtime, and by itself where that is silent. */

import type { Page } from '@playwright/test'
import { LONG, SHORT } from './clips'
import { expect, rowOf, test } from './page'

/** Each time the page reads the row of a job. */
function readsOf(page: Page): string[] {
  const reads: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('/rest/v1/video_jobs?')) reads.push(request.url())
  })
  return reads
}

test('the channel is joined once, as the user, and brings every change', async ({ app, page }) => {
  const joins: { access_token?: string; config: { private: boolean } }[] = []
  let heard = 0
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const [, , topic, event, content] = JSON.parse(String(payload))
      if (event === 'phx_join' && topic.startsWith('realtime:video_jobs:')) joins.push(content)
    })
    socket.on('framereceived', ({ payload }) => {
      if (String(payload).includes('"video_job"')) heard++
    })
  })
  await app.signUp()
  await app.burn(LONG)
  // As after a reload: the session comes from the browser's store, and nobody has signed in.
  joins.length = 0
  const reads = readsOf(page)
  await page.reload()
  await expect.poll(() => app.percent()).toBeGreaterThan(50)
  expect(heard).toBeGreaterThan(5)
  expect(reads.length).toBeLessThan(heard)
  expect(joins).toHaveLength(1)
  const [, claims = ''] = (joins[0]?.access_token ?? '').split('.')
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    role: 'authenticated',
  })
  expect(joins[0]?.config.private).toBe(true)
})

test('a job that ends while the network is away is shown when it is back', async ({
  app,
  context,
}) => {
  await app.signUp()
  const id = await app.burn(LONG)
  await expect(app.status('processing')).toBeVisible()
  await context.setOffline(true)
  await expect.poll(async () => (await rowOf(id)).status).toBe('completed')
  await expect(app.status('processing')).toBeVisible()
  await context.setOffline(false)
  await expect(app.status('completed')).toBeVisible()
})

test('without Realtime the page looks for itself', async ({ app, page }) => {
  await page.routeWebSocket(/\/realtime\/v1\//, (socket) => socket.close())
  await app.signUp()
  await app.burn(SHORT)
  await expect(app.status('completed')).toBeVisible()
})
