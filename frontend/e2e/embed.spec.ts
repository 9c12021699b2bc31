/** The service module on a page of its own, without React: what another app would call. */

import { readFileSync } from 'node:fs'
import { build, type Rolldown } from 'vite'
import { SHORT } from './clips'
import { expect, test } from './page'

test('embedSubtitlesIntoVideo uploads, waits and returns the result, and aborting cancels', async ({
  app,
  page,
}) => {
  const module = await bundled()
  expect(module).not.toContain('react.transitional.element')
  await app.open()
  const outcome = await page.evaluate(
    async ({ module, url, video }) => {
      const { createClient, createVideoService } = await import(
        URL.createObjectURL(new Blob([module], { type: 'text/javascript' }))
      )
      const client = createClient(url, 'sb_publishable_devstack', { auth: { storageKey: 'embed' } })
      await client.auth.signInAnonymously()
      const service = createVideoService(client)
      const bytes = Uint8Array.from(atob(video), (character) => character.charCodeAt(0))
      const file = new File([bytes], 'holiday.mp4', { type: 'video/mp4' })
      const cues = [{ start: 0.5, end: 2, text: 'From another app' }]
      const style = { color: '#FFDD00' }

      const percents: number[] = []
      const result = await service.embedSubtitlesIntoVideo(file, cues, style, file.name, {
        onProgress: ({ percent }: { percent: number }) => percents.push(percent),
      })
      const answer = await fetch(result.processedUrl)

      const controller = new AbortController()
      const aborted = await service
        .embedSubtitlesIntoVideo(file, cues, style, file.name, {
          signal: controller.signal,
          onProgress: ({ phase }: { phase: string }) => phase !== 'upload' && controller.abort(),
        })
        .catch((reason: Error) => reason.name)
      const { data: jobs } = await client.from('video_jobs').select('id,status,cancel_requested_at')
      return {
        result,
        percents,
        type: answer.headers.get('content-type'),
        size: (await answer.blob()).size,
        aborted,
        others: jobs.filter((job: { id: string }) => job.id !== result.jobId),
      }
    },
    { module, url: process.env.API_URL, video: readFileSync(SHORT).toString('base64') },
  )
  expect(outcome.type).toBe('video/mp4')
  expect(outcome.size).toBeGreaterThan(10_000)
  expect(outcome.percents).toEqual(outcome.percents.toSorted((a, b) => a - b))
  expect(outcome.percents.at(-1)).toBe(100)
  expect(outcome.aborted).toBe('AbortError')
  expect(outcome.others).toHaveLength(1)
  expect(
    outcome.others[0].status === 'cancelled' || outcome.others[0].cancel_requested_at,
  ).toBeTruthy()
})

/** src/service as one file, with the clients that it is made for. */
async function bundled(): Promise<string> {
  const entry = `
    export { createClient } from '@supabase/supabase-js'
    export { createVideoService } from '/src/service/index.ts'`
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    root: `${import.meta.dirname}/..`,
    build: {
      write: false,
      minify: false,
      lib: { entry: 'virtual', formats: ['es'], fileName: 'm' },
    },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id.endsWith('virtual') ? '\0virtual' : null),
        load: (id) => (id === '\0virtual' ? entry : null),
      },
    ],
  })) as Rolldown.RolldownOutput[]
  return built[0]?.output[0].code ?? ''
}
