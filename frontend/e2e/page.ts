/** What a user does on the page, in one place. */

import { randomUUID } from 'node:crypto'
import { test as base, expect, type Page } from '@playwright/test'

export { expect } from '@playwright/test'

export const SRT = `1
00:00:00,500 --> 00:00:02,500
Hello from the browser

2
00:00:03,000 --> 00:00:05,000
Second line
`

export class App {
  constructor(readonly page: Page) {}

  async open(path = '/'): Promise<void> {
    await this.page.goto(`${process.env.PAGE_URL}/#${path}`)
  }

  /** Signs a new user up and in. */
  async signUp(): Promise<void> {
    await this.open()
    await this.page.getByRole('button', { name: 'Create an account' }).click()
    await this.page.getByLabel('Email').fill(`${randomUUID()}@example.com`)
    await this.page.getByLabel('Password', { exact: true }).fill('correct horse')
    await this.page.getByRole('button', { name: 'Create account' }).click()
    await expect(this.page.getByRole('heading', { name: 'Drop a video here' })).toBeVisible()
  }

  async chooseVideo(path: string): Promise<void> {
    await this.page.getByLabel('Video file').setInputFiles(path)
    await expect(this.page.getByRole('button', { name: 'Burn subtitles' })).toBeVisible()
  }

  async importSubtitles(text: string, name = 'subtitles.srt'): Promise<void> {
    const file = { name, mimeType: 'text/plain', buffer: Buffer.from(text) }
    await this.page.getByLabel('Subtitle file').setInputFiles(file)
  }

  /** Upload, import, press the button; returns when the job's page is there. */
  async burn(video: string, subtitles = SRT): Promise<string> {
    await this.chooseVideo(video)
    await this.importSubtitles(subtitles)
    await this.press()
    return this.page.url().split('/').at(-1) ?? ''
  }

  async press(): Promise<void> {
    await this.page.getByRole('button', { name: 'Burn subtitles' }).click()
    await this.page.waitForURL(/#\/jobs\/[0-9a-f-]{36}$/)
  }

  /** Returns when the draft that a reload brings back says so. */
  async drafted(text: string): Promise<void> {
    await expect.poll(() => this.page.evaluate(readDrafts)).toContain(text)
  }

  /** The preview's picture once its text is drawn and stays, and the picture without it. */
  async previewed(): Promise<{ preview: Buffer; bare: Buffer }> {
    const canvas = this.page.locator('.JASSUB')
    const show = (visibility: string) =>
      canvas.evaluate(
        (element, value) => element.style.setProperty('visibility', value),
        visibility,
      )
    const photograph = () => this.page.locator('#media').screenshot()
    await show('hidden')
    const bare = await photograph()
    await show('visible')
    let preview = bare
    const stays = async () => {
      const last = preview
      preview = await photograph()
      return preview.equals(last) && !preview.equals(bare)
    }
    await expect.poll(stays, { intervals: [1000] }).toBe(true)
    return { preview, bare }
  }

  status(name: 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled') {
    return this.page.locator(`h1 ~ [data-status="${name}"]`)
  }

  /** Per cent as the page shows it; 0 when it shows none. */
  percent(): Promise<number> {
    return this.page.evaluate(() => {
      const bar = document.querySelector('[role="progressbar"][aria-label="Progress"]')
      return Number(bar?.getAttribute('aria-valuenow'))
    })
  }
}

export interface Row {
  status: string
  options: object
  created_at: string
  started_at: string
}

/** The row of a job as an admin sees it, past the browser. */
export async function rowOf(id: string): Promise<Row> {
  const query = `select=status,options,created_at,started_at&id=eq.${id}`
  const response = await fetch(`${process.env.API_URL}/rest/v1/video_jobs?${query}`, {
    headers: { apikey: process.env.SECRET_KEY ?? '' },
  })
  const [row] = (await response.json()) as Row[]
  if (!row) throw new Error('the job is gone')
  return row
}

/** What the page keeps in IndexedDB (idb-keyval's store), as JSON. */
function readDrafts(): Promise<string> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('keyval-store')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const reading = opening.result.transaction('keyval').objectStore('keyval').getAll()
      reading.onerror = () => reject(reading.error)
      reading.onsuccess = () => {
        opening.result.close()
        resolve(JSON.stringify(reading.result))
      }
    }
  })
}

/**
 * Slow enough that there is a middle: about eight seconds for the large clip. One session sets it all:
 * what another one says of the same page (`context.setOffline`) does not count then.
 */
export async function slowDown(page: Page) {
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

export const test = base.extend<{ app: App }>({
  app: async ({ page }, use) => {
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await use(new App(page))
    expect(problems).toEqual([])
  },
})
