/** Uploads that something happens to. */

import { readFileSync } from 'node:fs'
import { LARGE, SHORT } from './clips'
import { expect, SRT, slowDown, test } from './page'

const CHUNK = 6 * 1024 * 1024

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
  const failed = page.waitForEvent('requestfailed', (request) =>
    request.url().includes('/upload/resumable'),
  )
  await network.offline()
  await failed
  await expect(page.getByText(/Uploading/)).toBeVisible()
  await network.fast()
  await expect(page.getByText('Uploaded')).toBeVisible()
})

test('a video may be dropped, and the sample tried', async ({ app, page }) => {
  await app.signUp()
  const transfer = await page.evaluateHandle((bytes) => {
    const data = new DataTransfer()
    const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))
    data.items.add(new File([content], 'dropped.mp4', { type: 'video/mp4' }))
    return data
  }, readFileSync(SHORT).toString('base64'))
  await page.getByLabel('Open a video').dispatchEvent('drop', { dataTransfer: transfer })
  await expect(page.getByRole('heading', { name: 'dropped.mp4' })).toBeAttached()
  await expect(page.getByText('Uploaded')).toBeVisible()

  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Close this video' }).click()
  await page.getByRole('button', { name: 'Try the sample' }).click()
  await expect(page.getByRole('tab', { name: 'Subtitles (6)' })).toBeVisible()
  await expect(page.getByText('Uploaded')).toBeVisible()
})

for (const [status, sentence] of [
  [413, 'The video is larger than the file store accepts.'],
  [415, 'The file store did not accept this video.'],
] as const) {
  test(`an upload that Storage refuses with ${status} says why`, async ({ app, page }) => {
    await app.signUp()
    await page.route('**/upload/resumable', (route) => route.fulfill({ status }))
    await app.chooseVideo(SHORT)
    await expect(page.getByRole('alert')).toContainText(sentence)
  })
}

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
