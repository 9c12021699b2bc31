/**
 * `make bench-click`: from pressing the button to `processing` on the page, the video already
 * uploaded, and what that time is made of. Everything runs on one machine, so clocks agree.
 */

import type { Page } from '@playwright/test'
import { SHORT } from './clips'
import { expect, SRT, test } from './page'

const ROUNDS = Number(process.env.ROUNDS ?? 15)

interface Round {
  total: number
  /** The request to the edge function, with the insert. */
  function: number
  /** From the row's birth to the claim: NOTIFY, and a free slot. */
  claim: number
  /** From the claim to the page. */
  realtime: number
}

test('from the click to processing', async ({ app, page }) => {
  test.setTimeout(ROUNDS * 60_000)
  await app.signUp()
  await app.chooseVideo(SHORT)
  await app.importSubtitles(SRT)
  await expect(page.getByText('Uploaded')).toBeVisible()
  await round(page) // the function starts, fonts and scripts are loaded
  const rounds: Round[] = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round(page))

  const parts = ['function', 'claim', 'realtime', 'total'] as const
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
  const button = page.getByRole('button', { name: 'Burn subtitles' })
  await expect(page.getByText('Uploaded')).toBeVisible()
  await page.evaluate(() => performance.clearResourceTimings())
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
  const request = await page.evaluate(() => {
    const entries = performance.getEntriesByType('resource')
    return entries.filter(({ name }) => name.endsWith('/process-video')).at(-1)?.duration ?? 0
  })
  const row = await rowOf(page.url().split('/').at(-1) ?? '')
  await expect(page.locator('[data-status="completed"]')).toBeVisible()
  const [created, started] = [Date.parse(row.created_at), Date.parse(row.started_at)]
  return {
    total: shown - pressed,
    function: Math.round(request),
    claim: started - created,
    realtime: shown - started,
  }
}

async function rowOf(id: string): Promise<{ created_at: string; started_at: string }> {
  const query = `select=created_at,started_at&id=eq.${id}`
  const response = await fetch(`${process.env.API_URL}/rest/v1/video_jobs?${query}`, {
    headers: { apikey: process.env.SECRET_KEY ?? '' },
  })
  const [row] = (await response.json()) as { created_at: string; started_at: string }[]
  if (!row) throw new Error('the job is gone')
  return row
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
