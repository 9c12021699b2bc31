/** A reporter that prints what a benchmark prints, and nothing else but its failure. */

import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter'

export default class Printed implements Reporter {
  onStdOut(chunk: string | Buffer) {
    process.stdout.write(chunk)
  }

  onTestEnd(_: TestCase, result: TestResult) {
    for (const error of result.errors) process.stderr.write(`${error.stack ?? error.message}\n`)
  }
}
