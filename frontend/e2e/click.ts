/**
 * `make bench-click`: from pressing the button to `processing` on the page, the video already
 * uploaded, and what that time is made of. Everything runs on one machine, so clocks agree.
 */

import type { Page } from '@playwright/test'
import { SHORT } from './clips'
import { expect, rowOf, SRT, test } from './page'

const ROUNDS = Number(process.env.ROUNDS ?? 15)

/** `function`, `claim` and `realtime` follow each other and are the total; `insert` is beside. */
interface Round {
  /** From the press to the row's birth: the request, its checks, the subtitle file. */
  function: number
  /** From the row's birth to the function's answer on the page. */
  insert: number
  /** From the row's birth to the claim: commit, NOTIFY, a free slot. */
  claim: number
  /** From the claim to `processing` on the page. */
  realtime: number
  total: number
}

test('from the click to processing', async ({ app, page }) => {
  test.setTimeout(ROUNDS * 60_000)
  await app.signUp()
  await app.chooseVideo(SHORT)
  await app.importSubtitles(SRT)
  await expect(page.getByText('Uploaded')).toBeVisible()
  await app.drafted('"path":"')
  await round(page) // the function starts, fonts and scripts are loaded
  const rounds: Round[] = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round(page))

  const parts = ['function', 'insert', 'claim', 'realtime', 'total'] as const
  for (const part of parts) {
    const times = rounds.map((one) => one[part])
    console.log(`${part.padEnd(9)} p50 ${median(times)} ms, worst ${Math.max(...times)} ms`)
  }
  console.log(
    JSON.stringify({ click_to_processing_p50_ms: median(rounds.map((one) => one.total)) }),
  )
})

async function round(page: Page): Promise<Round> {
  await page.goto(`${process.env.PAGE_URL}/#/`)
  await page.reload({ waitUntil: 'networkidle' })
  const button = page.getByRole('button', { name: 'Burn subtitles' })
  await expect(page.getByText('Uploaded')).toBeVisible()
  // Who presses has looked at the preview: what draws it is there.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)))
  const seen = page.evaluate(
    () =>
      new Promise<{ pressed: number; shown: number }>((resolve) => {
        let pressed = 0
        addEventListener('click', () => (pressed ||= Date.now()), { capture: true, once: true })
        const observer = new MutationObserver(() => {
          if (!document.querySelector('[data-status="processing"]')) return
          observer.disconnect()
          resolve({ pressed, shown: Date.now() })
        })
        observer.observe(document, { subtree: true, childList: true, attributes: true })
      }),
  )
  await button.click()
  const { pressed, shown } = await seen
  const answered = await page.evaluate(() => {
    const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
    const request = entries.filter(({ name }) => name.endsWith('/process-video')).at(-1)
    return Math.round(performance.timeOrigin + (request?.responseEnd ?? 0))
  })
  const row = await rowOf(page.url().split('/').at(-1) ?? '')
  await expect(page.locator('[data-status="completed"]')).toBeVisible()
  const [created, started] = [Date.parse(row.created_at), Date.parse(row.started_at)]
  return {
    function: created - pressed,
    insert: answered - created,
    claim: started - created,
    realtime: shown - started,
    total: shown - pressed,
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
