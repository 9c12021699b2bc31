/** `make screenshots`: the page in each of its states, into docs/screenshots. */

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { BROKEN, FFMPEG, LARGE, LONG } from './clips'
import { type App, expect, test } from './page'

const FOLDER = join(import.meta.dirname, '../../docs/screenshots')

async function shoot(page: Page, name: string) {
  mkdirSync(FOLDER, { recursive: true })
  await page.evaluate(() => scrollTo(0, 0))
  const png = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path: png, animations: 'disabled' })
  const webp = join(FOLDER, `${name}.webp`)
  execFileSync(FFMPEG, ['-v', 'error', '-y', '-i', png, '-quality', '88', webp])
}

/** The sample, in the middle of its second cue. */
async function openSample(app: App) {
  const { page } = app
  await page.getByRole('button', { name: 'Try the sample' }).click()
  await expect(page.getByText('Uploaded')).toBeVisible()
  await page.getByLabel('Text of cue 2').click()
  await page.locator('#media video').evaluate((video: HTMLVideoElement) => {
    video.currentTime = 6.5
  })
  await page.locator('.JASSUB').waitFor({ state: 'attached' })
  await app.previewed()
}

async function loaded(video: Locator) {
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState))
    .toBeGreaterThan(0)
}

test('empty', async ({ app, page }) => {
  await app.signUp()
  await shoot(page, 'empty')
})

test('signing in', async ({ app, page }) => {
  await app.open()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await shoot(page, 'sign-in')
})

test('editing', async ({ app, page }) => {
  await app.signUp()
  await openSample(app)
  await shoot(page, 'editing')
  await page.getByRole('tab', { name: 'Style' }).click()
  const { preview } = await app.previewed()
  await page.getByRole('button', { name: 'Box' }).click()
  await expect.poll(async () => (await app.previewed()).preview.equals(preview)).toBe(false)
  await shoot(page, 'style')
  await page.getByRole('tab', { name: 'Result' }).click()
  await page.getByRole('combobox', { name: 'Language' }).fill('Engl')
  await page.getByRole('option', { name: 'English' }).click()
  await page.getByLabel('SRT').check()
  await shoot(page, 'result')
})

test('uploading', async ({ app, page }) => {
  await app.signUp()
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 5_000_000,
  })
  await app.chooseVideo(LARGE)
  await app.importSubtitles(
    '00:00:01,000 --> 00:00:05,000\nWhile it is on its way, it can be edited.',
  )
  await page.locator('#media video').evaluate((video: HTMLVideoElement) => {
    video.currentTime = 2
  })
  await expect(page.getByText(/Uploading … [2-9]\d/)).toBeVisible()
  await shoot(page, 'uploading')
})

test('rendering, and done', async ({ app, page }) => {
  await app.signUp()
  await openSample(app)
  await app.press()
  await expect.poll(() => app.percent()).toBeGreaterThan(15)
  await shoot(page, 'rendering')
  await expect(app.status('completed')).toBeVisible()
  await loaded(page.locator('video'))
  await shoot(page, 'done')
})

test('failed, and the list', async ({ app, page }) => {
  await app.signUp()
  await openSample(app)
  await app.press()
  await expect(app.status('completed')).toBeVisible()
  await app.open('/')
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Close this video' }).click()
  await app.burn(BROKEN)
  await expect(app.status('failed')).toBeVisible()
  await shoot(page, 'failed')
  await app.open('/')
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Close this video' }).click()
  await app.burn(LONG)
  await expect.poll(() => app.percent()).toBeGreaterThan(15)
  await page.getByRole('link', { name: 'All videos' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(3)
  await expect
    .poll(() => page.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0)
  await shoot(page, 'list')
})

test.describe('dark', () => {
  test.use({ colorScheme: 'dark' })
  test('editing in the dark', async ({ app, page }) => {
    await app.signUp()
    await openSample(app)
    await shoot(page, 'dark')
  })
})

test.describe('phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 })
  test('editing on a phone', async ({ app, page }) => {
    await app.signUp()
    await openSample(app)
    await shoot(page, 'phone')
  })
})
