/** The preview is the result: the same picture, but for what the encoder does to it. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Page, Route } from '@playwright/test'
import { FFMPEG, STILL } from './clips'
import { expect, slowDown, test } from './page'

/** SSIM of the part of the picture where the text is: what the encoder leaves of it. */
const ALIKE = 0.98

const CASES = {
  classic: ['Classic', 'Plain words, <i>some of them</i>\nwith an accent: é'],
  yellow: ['Yellow', 'Bold and yellow'],
  box: ['Box', 'In a box that lets\nthe picture through'],
  scripts: ['Classic', 'العربية, עברית, हिन्दी, ไทย\n中文、日本語 🎬'],
} as const

for (const [name, [preset, text]] of Object.entries(CASES)) {
  test(`${name}: the preview and the burned frame are alike`, async ({ app, page }, info) => {
    await app.signUp()
    await app.chooseVideo(STILL)
    await app.importSubtitles(`00:00:00,000 --> 00:00:02,000\n${text}\n`)
    await page.getByRole('tab', { name: 'Style' }).click()
    await page.getByRole('button', { name: preset }).click()
    await standAt(page, 1)
    const pictures = await app.previewed()
    const preview = info.outputPath('preview.png')
    const bare = info.outputPath('bare.png')
    writeFileSync(preview, pictures.preview)
    writeFileSync(bare, pictures.bare)
    await app.press()
    await expect(app.status('completed')).toBeVisible()
    const video = info.outputPath('burned.mp4')
    const burned = info.outputPath('burned.png')
    const url = await page.locator('video').getAttribute('src')
    writeFileSync(video, Buffer.from(await (await fetch(url ?? '')).arrayBuffer()))
    execFileSync(FFMPEG, ['-v', 'error', '-y', '-ss', '1', '-i', video, '-frames:v', '1', burned])

    const [alike, unlike] = [similarity(preview, burned), similarity(bare, burned)]
    console.log(`${name}: SSIM ${alike}, without the text ${unlike}`)
    expect(alike).toBeGreaterThan(ALIKE)
    expect(5 * (1 - alike)).toBeLessThan(1 - unlike)
  })
}

test('who seeks while the preview is being loaded sees it all the same', async ({ app, page }) => {
  let release = () => {}
  const sought = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/*.wasm', async (route) => {
    await sought
    await route.continue()
  })
  await app.signUp()
  await app.chooseVideo(STILL)
  await app.importSubtitles('00:00:00,500 --> 00:00:02,000\nAll the same\n')
  await standAt(page, 1)
  release()
  await app.previewed()
})

for (const file of ['index.json', '*.wasm', 'worker*.js', '*.ttf']) {
  test(`a preview that the network left at its ${file} comes back`, async ({ app, page }) => {
    await app.signUp()
    const network = await slowDown(page)
    const leave = async (route: Route) => {
      await network.offline()
      await route.continue()
    }
    await page.route(`**/${file}`, leave, { times: 1 })
    await app.chooseVideo(STILL)
    await app.importSubtitles('00:00:00,000 --> 00:00:02,000\nBack again\n')
    await expect(page.getByText('No preview')).toBeVisible()
    await network.fast()
    await expect(page.getByText('No preview')).toBeHidden()
    await standAt(page, 1)
    await app.previewed()
  })
}

/** The player's picture in the video's own size, at that second. */
async function standAt(page: Page, seconds: number) {
  await page.setViewportSize({ width: 1400, height: 800 })
  await page.addStyleTag({
    content:
      '#media { position: fixed; z-index: 9; inset: 0 auto auto 0; width: 1280px; height: 720px }',
  })
  await page.locator('#media video').evaluate(async (video: HTMLVideoElement, time) => {
    const sought = new Promise((resolve) => video.addEventListener('seeked', resolve))
    video.currentTime = time
    await sought
  }, seconds)
}

/** SSIM of the middle of the lower third of two pictures of 1280 x 720. */
function similarity(a: string, b: string): number {
  const filter = '[0]crop=640:160:320:540[a];[1]crop=640:160:320:540[b];[a][b]ssim'
  const said = execFileSync('sh', [
    '-c',
    'exec "$0" "$@" 2>&1',
    ...[FFMPEG, '-nostdin', '-i', a, '-i', b, '-lavfi', filter, '-f', 'null', '-'],
  ]).toString()
  return Number(/All:([\d.]+)/.exec(said)?.[1])
}
