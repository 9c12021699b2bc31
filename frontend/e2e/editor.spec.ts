/** The editor, with the keys and with the mouse. */

import { HALF_HOUR, SHORT } from './clips'
import { expect, SRT, test } from './page'

const COUNT = 1000

test.beforeEach(async ({ app }) => {
  await app.signUp()
  await app.chooseVideo(SHORT)
})

test('cues are written, split, merged and undone with the keys alone', async ({ page }) => {
  const text = (number: number) => page.getByLabel(`Text of cue ${number}`, { exact: true })
  await page.keyboard.press('n')
  await page.keyboard.type('One two')
  await page.keyboard.press('Escape')
  await page.keyboard.press('s')
  await expect(text(1)).toHaveValue('One')
  await expect(text(2)).toHaveValue('two')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('m')
  await expect(text(1)).toHaveValue('One\ntwo')
  await expect(text(2)).toBeHidden()
  await page.keyboard.press('Control+z')
  await expect(text(2)).toHaveValue('two')
  await page.keyboard.press('Control+Shift+z')
  await expect(text(2)).toBeHidden()
  await page.keyboard.press(']')
  await expect(page.getByLabel('Start of cue 1')).toHaveValue('0:00.100')
  await page.keyboard.press('Delete')
  await expect(page.getByText('No subtitles yet')).toBeVisible()
  await page.keyboard.press('Shift+?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
})

test('a cue is dragged on the timeline and snaps to its neighbour', async ({ app, page }) => {
  await app.importSubtitles(SRT)
  const region = page.locator('[part~="region"]').nth(1)
  const box = await region.boundingBox()
  if (!box) throw new Error('there is no region')
  // Half a second to the left, less a few pixels that the snap makes up for.
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  await page.mouse.move(middle.x, middle.y)
  await page.mouse.down()
  const away = box.width / 4 - 4
  await page.mouse.move(middle.x - away / 2, middle.y, { steps: 5 })
  await page.mouse.move(middle.x - away, middle.y, { steps: 5 })
  await page.mouse.up()
  await expect(page.getByLabel('Start of cue 2')).toHaveValue('0:02.500')
  await expect(page.getByLabel('End of cue 2')).toHaveValue('0:04.500')
})

test('the controls go along to the full screen', async ({ page }) => {
  await page.locator('media-fullscreen-button').click()
  await expect.poll(() => page.evaluate(() => document.fullscreenElement?.className)).toBe('player')
  await expect(page.locator('media-play-button')).toBeInViewport()
})

test('a file that can not be read is refused with the line', async ({ app, page }) => {
  await app.importSubtitles('1\n00:00:01,000 --> when it ends\nText')
  await expect(page.getByText('Line 2')).toBeVisible()
})

test('cues survive a reload', async ({ app, page }) => {
  await app.importSubtitles(SRT)
  await page.getByLabel('Text of cue 1').fill('Changed')
  await app.drafted('Changed')
  await page.reload()
  await expect(page.getByLabel('Text of cue 1')).toHaveValue('Changed')
})

test('what was edited a moment ago is kept by who goes to another page', async ({ app, page }) => {
  await app.importSubtitles(SRT)
  await page.getByLabel('Text of cue 1').fill('Changed')
  await page.getByRole('link', { name: 'Videos' }).click()
  await app.drafted('Changed')
})

test('a thousand cues cost no more than those in sight', async ({ app, page }) => {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Close this video' }).click()
  await app.chooseVideo(HALF_HOUR)
  const cues = Array.from({ length: COUNT }, (_, n) => {
    const clock = (tenths: number) =>
      `${String(Math.floor(tenths / 600)).padStart(2, '0')}:${String((tenths % 600) / 10).padStart(2, '0')}`
    return `${clock(n * 18)} --> ${clock(n * 18 + 15)}\nCue number ${n + 1}\n`
  })
  await app.importSubtitles(cues.join('\n'))
  await expect(page.getByRole('tab', { name: `Subtitles (${COUNT})` })).toBeVisible()
  await expect(page.locator('[part~="region"]').first()).toBeVisible()
  const longTasks = await page.evaluateHandle(() => {
    const found: number[] = []
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) found.push(Math.round(entry.duration))
    }).observe({ type: 'longtask' })
    return found
  })

  const third = page.getByLabel('Text of cue 3', { exact: true })
  await third.click()
  await page.keyboard.press('End')
  await page.keyboard.type(' is being written in', { delay: 20 })
  await expect(third).toHaveValue('Cue number 3 is being written in')
  await page.keyboard.press('Escape')
  for (let n = 0; n < 40; n++) await page.keyboard.press('ArrowDown')
  await expect(page.getByLabel('Text of cue 43', { exact: true })).toBeVisible()

  expect(await page.getByLabel(/^Text of cue/).count()).toBeLessThan(40)
  expect(await page.locator('[part~="region"]').count()).toBeLessThan(40)
  const found = await longTasks.jsonValue()
  console.log(
    `1,000 cues edited: ${found.length} long tasks, the longest ${Math.max(0, ...found)} ms`,
  )
})
