/** What the page shows stays where it is while more of it arrives. */

import type { Page } from '@playwright/test'
import { SHORT } from './clips'
import { expect, SRT, test } from './page'

/** Cumulative layout shift; up to 0.1 counts as good. */
const STEADY = 0.02

for (const [name, viewport] of Object.entries({
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
})) {
  test.describe(name, () => {
    test.use({ viewport })

    test('nothing jumps on the way from a video to its result', async ({ app, page }) => {
      await app.signUp()
      const shifts = await observeShifts(page)
      await app.chooseVideo(SHORT)
      await app.importSubtitles(SRT)
      await expect(page.getByText('Uploaded')).toBeVisible()
      await page.locator('.JASSUB').waitFor({ state: 'attached' })
      await app.press()
      await expect(app.status('completed')).toBeVisible()
      await expect(page.getByRole('link', { name: 'Download' })).toBeVisible()
      await page.getByRole('link', { name: 'All videos' }).click()
      await expect
        .poll(() => page.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBeGreaterThan(0)
      const seen = await shifts.jsonValue()
      const sum = seen.reduce((total, { value }) => total + value, 0)
      console.log(`${name}: layout shift ${sum.toFixed(4)}`)
      expect(sum, JSON.stringify(seen)).toBeLessThan(STEADY)
    })
  })
}

interface LayoutShift extends PerformanceEntry {
  value: number
  hadRecentInput: boolean
  sources: { node: Node | null }[]
}

/** The shifts of the page so far and from now on, as they happen, but for those that answer a press. */
function observeShifts(page: Page) {
  return page.evaluateHandle(() => {
    const seen: { value: number; moved: (string | undefined)[] }[] = []
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as LayoutShift[]) {
        if (hadRecentInput) continue
        const moved = sources.map(({ node }) => node?.parentElement?.innerHTML.slice(0, 80))
        seen.push({ value, moved })
      }
    }).observe({ type: 'layout-shift', buffered: true })
    return seen
  })
}
