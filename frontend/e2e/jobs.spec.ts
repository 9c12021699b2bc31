/** From the browser and back, on a real project with a real worker. */

import { readFileSync } from 'node:fs'
import { BROKEN, LONG, SHORT, TWO_SOUNDS } from './clips'
import { App, expect, rowOf, SRT, test } from './page'

test('a video is opened, subtitled, burned, played and downloaded', async ({ app, page }) => {
  await app.signUp()
  await app.chooseVideo(SHORT)
  await page.keyboard.press('n')
  await page.keyboard.type('Written by hand')
  await expect(page.getByText('Uploaded')).toBeVisible()
  await app.press()

  await expect(app.status('completed')).toBeVisible()
  const video = page.locator('video')
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState))
    .toBeGreaterThan(0)
  await video.evaluate(async (element: HTMLVideoElement) => {
    element.muted = true
    await element.play()
  })
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(0.2)
  expect(
    await video.evaluate((element: HTMLVideoElement) => [element.videoWidth, element.videoHeight]),
  ).toEqual([640, 360])
  await expect(page.getByText('6 s · 640 × 360')).toBeVisible()

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('short-subtitled.mp4')

  await page.getByRole('link', { name: 'All videos' }).click()
  const card = page.getByRole('listitem').filter({ hasText: 'short.mp4' })
  await expect(card.getByText('Ready')).toBeVisible()
  await expect
    .poll(() => card.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0)
})

test('what is asked of the result is asked of the worker, and comes back', async ({
  app,
  page,
}) => {
  await app.signUp()
  await app.chooseVideo(TWO_SOUNDS)
  await app.importSubtitles(SRT)
  await page.getByRole('tab', { name: 'Result' }).click()
  await page.getByRole('combobox', { name: 'Language' }).fill('Span')
  await page.getByRole('option', { name: 'Spanish' }).click()
  await page.getByRole('combobox', { name: 'Sound' }).click()
  await page.getByRole('option', { name: 'Track 2 · Spanish' }).click()
  await page.getByLabel('Also as a track in the video').check()
  await page.getByLabel('SRT').check()
  await page.getByRole('combobox', { name: 'Quality' }).click()
  await page.getByRole('option', { name: 'Draft' }).click()
  await app.drafted('"quality":"draft"')
  await page.reload()
  await app.press()
  await expect(app.status('completed')).toBeVisible()

  const id = page.url().split('/').at(-1) ?? ''
  expect((await rowOf(id)).options).toEqual({
    language: 'es',
    audio_track: 2,
    soft_track: true,
    sidecars: ['srt'],
    quality: 'draft',
    style: {},
  })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download the subtitles as SRT' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('two-sounds.srt')
  expect(readFileSync(await download.path(), 'utf8')).toContain('Hello from the browser')
})

test('progress is shown while it happens, and never falls', async ({ app, page }) => {
  await app.signUp()
  const shown = await page.evaluateHandle(() => {
    const percents: number[] = []
    new MutationObserver(() => {
      const bar = document.querySelector('[role="progressbar"][aria-label="Progress"]')
      if (bar) percents.push(Number(bar.getAttribute('aria-valuenow')))
    }).observe(document, { subtree: true, childList: true, attributes: true })
    return percents
  })
  await app.burn(LONG)
  await expect(page.getByText(/^about .+ left$/)).toBeVisible()
  await expect(app.status('completed')).toBeVisible()
  const seen = await shown.jsonValue()
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(new Set(seen).size).toBeGreaterThan(3)
})

test('a reload during the job loses nothing', async ({ app, page }) => {
  await app.signUp()
  await app.burn(LONG)
  await expect.poll(() => app.percent()).toBeGreaterThan(12)
  const before = await app.percent()
  await page.reload()
  await expect(page.getByRole('progressbar', { name: 'Progress' })).toBeVisible()
  expect(await app.percent()).toBeGreaterThanOrEqual(before)
  await expect(app.status('completed')).toBeVisible()
})

test('a job is cancelled, and tried again', async ({ app, page }) => {
  await app.signUp()
  await app.burn(LONG)
  await expect(app.status('processing')).toBeVisible()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(app.status('cancelled')).toBeVisible()
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(app.status('processing').or(app.status('queued'))).toBeVisible()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(app.status('cancelled')).toBeVisible()
})

test('a job that fails says why, with its code, and leads back to the editor', async ({
  app,
  page,
}) => {
  await app.signUp()
  await app.burn(BROKEN)
  await expect(app.status('failed')).toBeVisible()
  await expect(page.getByText('This video can’t be used')).toBeVisible()
  await expect(page.getByText('The file is damaged, or not a video')).toBeVisible()
  await expect(page.getByText('invalid_video')).toBeVisible()
  await page.getByRole('link', { name: 'Back to the editor' }).click()
  await expect(page.getByLabel('Text of cue 1')).toHaveValue('Hello from the browser')
})

test('two users do not see each other', async ({ app, browser }) => {
  await app.signUp()
  const id = await app.burn(SHORT)
  await expect(app.status('completed')).toBeVisible()

  const other = new App(await (await browser.newContext()).newPage())
  await other.signUp()
  await other.open('/jobs')
  await expect(other.page.getByText('Nothing here yet')).toBeVisible()
  await other.open(`/jobs/${id}`)
  await expect(other.page.getByText('There is no such job, or it is not yours')).toBeVisible()
  await other.page.context().close()
})

test('who signs in next on the same page finds nothing of the last one', async ({ app, page }) => {
  await app.signUp()
  await app.chooseVideo(SHORT)
  await app.importSubtitles(SRT)
  await page.getByRole('button', { name: 'Account' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Continue as a guest' }).click()
  await expect(page.getByRole('heading', { name: 'Drop a video here' })).toBeVisible()
})

test('who waits sees how many come before', async ({ app, page, browser }) => {
  const busy = new App(await (await browser.newContext()).newPage())
  await busy.signUp()
  await busy.burn(LONG)
  await app.signUp()
  await app.burn(SHORT)
  await expect(page.getByText(/Next in line|before it in line/).first()).toBeVisible()
  await busy.page.getByRole('button', { name: 'Cancel' }).click()
  await expect(app.status('completed')).toBeVisible()
  await busy.page.context().close()
})

test('the list follows its jobs', async ({ app, page }) => {
  await app.signUp()
  await app.burn(LONG)
  await page.getByRole('link', { name: 'All videos' }).click()
  const card = page.getByRole('listitem').filter({ hasText: 'long.mp4' })
  await expect(card.getByRole('progressbar')).toBeVisible()
  await expect(card.getByText('Ready')).toBeVisible()
})
