import { existsSync } from 'node:fs'
import { defineConfig, devices } from '@playwright/test'

// Browsers that Playwright would download itself are none of ours: Debian's, or the one that is named.
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

export default defineConfig({
  testDir: 'e2e',
  projects: [
    { name: 'tests', testMatch: '*.spec.ts' },
    { name: 'screenshots', testMatch: 'screenshots.ts' },
    { name: 'click', testMatch: 'click.ts' },
    { name: 'film', testMatch: 'film.ts' },
  ],
  outputDir: 'test-results',
  globalSetup: './e2e/clips.ts',
  timeout: 180_000,
  expect: { timeout: 60_000 },
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      ...(existsSync(CHROMIUM) && { executablePath: CHROMIUM }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--autoplay-policy=no-user-gesture-required',
      ],
    },
    trace: 'retain-on-failure',
  },
  webServer: {
    // A project of its own on free ports, a real worker, and the page as it is deployed.
    command: `${process.env.PYTHON ?? '.venv/bin/python'} -m devstack.dev --port 0 --page-port 0 --dir frontend/test-results/stack --built`,
    cwd: '..',
    wait: {
      stdout: /Page: (?<page_url>\S+)\s+API URL: (?<api_url>\S+)[\s\S]+Secret: (?<secret_key>\S+)/,
    },
    gracefulShutdown: { signal: 'SIGTERM', timeout: 20_000 },
    timeout: 120_000,
  },
})
