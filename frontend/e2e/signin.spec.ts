/** Who may come in. */

import { expect, test } from './page'

test('a wrong password is told, and the right one lets in', async ({ app, page }) => {
  const signedUp = page.waitForRequest((request) => request.url().includes('/auth/v1/signup'))
  await app.signUp()
  const { email } = (await signedUp).postDataJSON() as { email: string }
  await page.getByRole('button', { name: 'Account' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()

  const password = page.getByLabel('Password', { exact: true })
  await page.getByLabel('Email').fill(email)
  await password.fill('wrong horse')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toContainText('Invalid login credentials')
  await password.fill('correct horse')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Drop a video here' })).toBeVisible()
})
