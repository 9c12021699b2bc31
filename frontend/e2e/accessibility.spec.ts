/** Every page and state, judged by axe, in light and in dark. */

import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { BROKEN, LONG, SHORT } from './clips'
import { expect, SRT, test } from './page'

async function check(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('\n')}`,
  )
  expect(found).toEqual([])
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })

    test('signing in, the empty editor and the empty list', async ({ app, page }) => {
      await app.open()
      await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
      await check(page)
      await app.signUp()
      await check(page)
      await app.open('/jobs')
      await expect(page.getByText('Nothing here yet')).toBeVisible()
      await check(page)
    })

    test('the editor, its panels and its help', async ({ app, page }) => {
      await app.signUp()
      await app.chooseVideo(SHORT)
      await app.importSubtitles(SRT)
      await page.getByLabel('Text of cue 1').click()
      await expect(page.getByText('Uploaded')).toBeVisible()
      await check(page)
      for (const tab of ['Style', 'Result']) {
        await page.getByRole('tab', { name: tab }).click()
        await check(page)
      }
      await page.keyboard.press('Shift+?')
      await expect(page.getByRole('dialog')).toBeVisible()
      await check(page)
    })

    test('a job that runs, that is cancelled, that is done', async ({ app, page }) => {
      await app.signUp()
      await app.burn(LONG)
      await expect(app.status('processing')).toBeVisible()
      await check(page)
      await page.getByRole('button', { name: 'Cancel' }).click()
      await expect(app.status('cancelled')).toBeVisible()
      await check(page)
    })

    test('a job that failed, and the list', async ({ app, page }) => {
      await app.signUp()
      await app.burn(BROKEN)
      await expect(app.status('failed')).toBeVisible()
      await check(page)
      await page.getByRole('link', { name: 'All videos' }).click()
      await expect(page.getByRole('listitem')).toBeVisible()
      await check(page)
    })
  })
}

test('a phone shows everything without scrolling sideways', async ({ app, page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await app.signUp()
  await app.chooseVideo(SHORT)
  await app.importSubtitles(SRT)
  await expect(page.getByRole('button', { name: 'Burn subtitles' })).toBeInViewport()
  const width = () => page.evaluate(() => document.documentElement.scrollWidth)
  expect(await width()).toBeLessThanOrEqual(360)
  await app.press()
  await expect(app.status('completed')).toBeVisible()
  expect(await width()).toBeLessThanOrEqual(360)
  await check(page)
})
