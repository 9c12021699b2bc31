/** Part of `make screenshots`: a short recording of the page at work, from opening a video to its result, for docs/. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { FFMPEG } from './clips'
import { expect, test } from './page'

const FILM = join(import.meta.dirname, '../../docs/screenshots/film.webp')
const WIDTH = 880
const FRAMES_PER_SECOND = 8
const LAST_FRAME_SECONDS = 2

// The pauses are for whoever watches.
test.use({ viewport: { width: 1100, height: 700 } })

test('from a video to its result', async ({ app, page }) => {
  await app.signUp()
  await showPointer(page)
  const stop = await record(page)
  await page.waitForTimeout(800)

  await press(page, page.getByRole('button', { name: 'Try the sample' }))
  await expect(page.getByText('Uploaded')).toBeVisible()
  await page.locator('.JASSUB').waitFor({ state: 'attached' })
  await page.locator('#media video').evaluate((video: HTMLVideoElement) => {
    video.currentTime = 2
  })
  const first = page.getByLabel('Text of cue 1')
  await press(page, first)
  await first.press('ControlOrMeta+a')
  await first.pressSequentially('Written in the browser,\nburned in on a server.', { delay: 45 })
  await page.waitForTimeout(1200)

  await press(page, page.getByRole('tab', { name: 'Style' }))
  for (const preset of ['Yellow', 'Box']) {
    await press(page, page.getByRole('button', { name: preset }))
    await page.waitForTimeout(1000)
  }
  await press(page, page.getByRole('button', { name: 'Burn subtitles' }))
  await expect(app.status('completed')).toBeVisible()
  const result = page.locator('video')
  await expect
    .poll(() => result.evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0)
  await page.waitForTimeout(1000)
  await press(page, page.locator('media-play-button'))
  await page.waitForTimeout(3500)
  await stop()
})

/** Screenshots leave the pointer out. */
async function showPointer(page: Page): Promise<void> {
  await page.evaluate(() => {
    const pointer = document.createElement('div')
    pointer.style.cssText =
      'position: fixed; inset: 0 auto auto 0; z-index: 999; width: 22px; height: 22px; margin: -11px; border-radius: 50%; ' +
      'pointer-events: none; background: rgb(250 176 5 / 55%); border: 2px solid #fff; box-shadow: 0 0 3px #000'
    document.body.append(pointer)
    addEventListener('mousemove', ({ clientX, clientY }) => {
      pointer.style.translate = `${clientX}px ${clientY}px`
    })
  })
}

async function press(page: Page, target: Locator): Promise<void> {
  const box = await target.boundingBox()
  if (!box) throw new Error('what is to be pressed is not in sight')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 12 })
  await page.waitForTimeout(250)
  await target.click()
}

/** Every picture that the page paints, with its time. Returns what ends it and writes the film. */
async function record(page: Page): Promise<() => Promise<void>> {
  const frames: { file: string; time: number }[] = []
  const session = await page.context().newCDPSession(page)
  session.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    const file = test.info().outputPath(`${String(frames.length).padStart(5, '0')}.png`)
    writeFileSync(file, Buffer.from(data, 'base64'))
    frames.push({ file, time: metadata.timestamp ?? 0 })
    // It may have ended since.
    void session.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined)
  })
  await session.send('Page.startScreencast', { format: 'png' })
  return async () => {
    await session.send('Page.stopScreencast')
    const list = test.info().outputPath('frames.txt')
    const entries = frames.map(({ file, time }, at) => {
      const next = frames[at + 1]?.time ?? time + LAST_FRAME_SECONDS
      return `file '${file}'\nduration ${Math.max(0.001, next - time).toFixed(3)}\n`
    })
    writeFileSync(list, entries.join(''))
    execFileSync(FFMPEG, [
      ...['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list],
      ...['-vf', `fps=${FRAMES_PER_SECOND},mpdecimate,scale=${WIDTH}:-2:flags=lanczos`],
      ...['-fps_mode', 'vfr', '-c:v', 'libwebp_anim', '-loop', '0', '-quality', '70', FILM],
    ])
  }
}
