/** Uploads that something happens to. */

import type { Page } from '@playwright/test'
import { LARGE } from './clips'
import { expect, SRT, test } from './page'

const CHUNK = 6 * 1024 * 1024

/**
 * Slow enough that there is a middle: about eight seconds for the large clip. One session sets it all:
 * what another one says of the same page (`context.setOffline`) does not count then.
 */
async function slowDown(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  const set = (uploadThroughput: number, offline = false) =>
    session.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    })
  await set(8_000_000)
  return { fast: () => set(-1), offline: () => set(-1, true) }
}

test('an upload goes on where it stopped after a reload', async ({ app, page }) => {
  const created: string[] = []
  const offsets: number[] = []
  page.on('request', (request) => {
    if (!request.url().includes('/upload/resumable')) return
    if (request.method() === 'POST') created.push(request.url())
    if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']))
  })
  await app.signUp()
  await slowDown(page)
  await app.chooseVideo(LARGE)
  await app.importSubtitles(SRT)
  await expect.poll(() => offsets.at(-1) ?? 0).toBeGreaterThanOrEqual(2 * CHUNK)
  await app.drafted('Hello from the browser')

  const before = offsets.length
  await page.reload()
  await expect.poll(() => offsets.length).toBeGreaterThan(before)
  expect(offsets[before]).toBeGreaterThanOrEqual(CHUNK)
  expect(created).toHaveLength(1)
  await expect(page.getByLabel('Text of cue 1')).toHaveValue('Hello from the browser')
  await expect(page.getByText('Uploaded')).toBeVisible()
  await app.press()
  await expect(app.status('completed')).toBeVisible()
})

test('an upload waits for the network and goes on', async ({ app, page }) => {
  await app.signUp()
  const network = await slowDown(page)
  await app.chooseVideo(LARGE)
  await app.importSubtitles(SRT)
  await expect(page.getByText(/Uploading … [1-9]/)).toBeVisible()
  const failed = () =>
    page.waitForEvent('requestfailed', (request) => request.url().includes('/upload/resumable'))
  const first = failed()
  await network.offline()
  await first
  await failed() // It was tried again.
  await expect(page.getByText(/Uploading/)).toBeVisible()
  await network.fast()
  await expect(page.getByText('Uploaded')).toBeVisible()
})

test('the button may be pressed before the upload is done, and cancelled', async ({
  app,
  page,
}) => {
  await app.signUp()
  const network = await slowDown(page)
  await app.chooseVideo(LARGE)
  await app.importSubtitles(SRT)
  const button = page.getByRole('button', { name: 'Burn subtitles' })
  await button.click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(button).toBeEnabled()
  await network.fast()
  await app.press()
  await expect(app.status('completed')).toBeVisible()
})
