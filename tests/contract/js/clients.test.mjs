// supabase-js and tus-js-client, unmodified, against the Supabase of the environment.
// Run by tests/contract/test_javascript.py, which makes the table, the bucket and the user.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createClient } from '@supabase/supabase-js'
import * as tus from 'tus-js-client'
import WebSocket from 'ws'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY } = process.env
const { EMAIL, PASSWORD, TABLE, BUCKET } = process.env
const CHUNK = 6 * 1024 * 1024

function client(key) {
  return createClient(SUPABASE_URL, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node 20 has no WebSocket of its own, and a client wants one before it is used.
    realtime: { transport: WebSocket },
  })
}

const supabase = client(SUPABASE_PUBLISHABLE_KEY)
const { data: signIn, error: signInError } = await supabase.auth.signInWithPassword({
  email: EMAIL,
  password: PASSWORD,
})
assert.equal(signInError, null)
const folder = `${signIn.user.id}/js-${randomBytes(4).toString('hex')}`
const files = supabase.storage.from(BUCKET)

// Its own data, or the error as an exception.
async function ok(request) {
  const { data, error } = await request
  if (error) throw error
  return data
}

async function bytes(blob) {
  return Buffer.from(await blob.arrayBuffer())
}

function upload(content, options) {
  return new Promise((resolve, reject) => {
    const run = new tus.Upload(content, {
      endpoint: `${SUPABASE_URL}/storage/v1/upload/resumable`,
      headers: { authorization: `Bearer ${signIn.session.access_token}` },
      chunkSize: CHUNK,
      retryDelays: [],
      ...options,
      onError: reject,
      onSuccess: () => resolve(run),
    })
    options.onReady?.(run, resolve)
    run.start()
  })
}

test('a session is refreshed, describes its user, and ends', async () => {
  const other = client(SUPABASE_PUBLISHABLE_KEY)
  const { session } = await ok(other.auth.signInWithPassword({ email: EMAIL, password: PASSWORD }))
  const refreshed = await ok(other.auth.refreshSession())
  assert.notEqual(refreshed.session.refresh_token, session.refresh_token)
  assert.equal((await ok(other.auth.getUser())).user.email, EMAIL)
  await other.auth.signOut({ scope: 'local' })
  const { error } = await other.auth.getUser(session.access_token)
  assert.equal(error.name, 'AuthSessionMissingError')
})

test('a refused sign-in has its code', async () => {
  const other = client(SUPABASE_PUBLISHABLE_KEY)
  const { error } = await other.auth.signInWithPassword({ email: EMAIL, password: 'wrong' })
  assert.equal(error.code, 'invalid_credentials')
  assert.equal(error.status, 400)
})

test('the admin API makes, finds and deletes a user', async () => {
  const { admin } = client(SUPABASE_SECRET_KEY).auth
  const email = `${randomBytes(8).toString('hex')}@example.com`
  const { user } = await ok(admin.createUser({ email, email_confirm: true }))
  assert.equal((await ok(admin.getUserById(user.id))).user.email, email)
  assert.ok((await ok(admin.listUsers())).total >= 1)
  await ok(admin.deleteUser(user.id))
  assert.equal((await admin.getUserById(user.id)).error.code, 'user_not_found')
})

test('rows are written and read through the policies', async () => {
  const table = () => supabase.from(TABLE)
  const rows = [{ title: 'one', stars: 1 }, { title: 'two', stars: 2, tags: ['x'] }]
  const inserted = await ok(table().insert(rows, { defaultToNull: false }).select())
  assert.deepEqual(inserted.map((row) => row.user_id), [signIn.user.id, signIn.user.id])
  const ids = inserted.map((row) => row.id)

  const { data, count } = await table()
    .select('title', { count: 'exact' })
    .in('id', ids)
    .or('stars.eq.2,title.eq.none')
  assert.deepEqual([data, count], [[{ title: 'two' }], 1])
  const one = await ok(table().update({ stars: 9 }).eq('id', ids[0]).select('stars').single())
  assert.equal(one.stars, 9)
  assert.equal(await ok(table().select('id').eq('id', -1).maybeSingle()), null)
  assert.equal((await table().select('id').eq('id', -1).single()).error.code, 'PGRST116')
  const head = await table().select('*', { count: 'exact', head: true }).in('id', ids)
  assert.equal(head.count, 2)
  await ok(table().delete().in('id', ids))
  assert.equal(await ok(supabase.rpc(`${TABLE}_add`, { a: 1, b: 2 })), 3)
})

test('a visitor is refused with the code of the database', async () => {
  const { error, status } = await client(SUPABASE_PUBLISHABLE_KEY).from(TABLE).select()
  assert.deepEqual([error.code, status], ['42501', 401])
})

test('blobs and buffers go up, and come down', async () => {
  for (const content of [new Blob(['héllo'], { type: 'text/plain' }), Buffer.from('héllo')]) {
    const path = `${folder}/greeting-${content.constructor.name}.txt`
    const sent = await ok(files.upload(path, content, { metadata: { from: 'js' } }))
    assert.equal(sent.fullPath, `${BUCKET}/${path}`)
    assert.equal(await (await ok(files.download(path))).text(), 'héllo')
    assert.deepEqual((await ok(files.info(path))).metadata, { from: 'js' })
    assert.equal((await files.exists(path)).data, true)
    const duplicate = await files.upload(path, content)
    assert.equal(duplicate.error.statusCode, '409')
  }
  assert.equal((await files.exists(`${folder}/absent`)).data, false)
  assert.equal((await ok(files.list(folder))).length, 2)
})

test('signed URLs open one object, and take one', async () => {
  const path = `${folder}/ünsigned.txt`
  const { token } = await ok(files.createSignedUploadUrl(path))
  const visitor = client(SUPABASE_PUBLISHABLE_KEY).storage.from(BUCKET)
  await ok(visitor.uploadToSignedUrl(path, token, new Blob(['signed'])))
  const { signedUrl } = await ok(files.createSignedUrl(path, 60))
  assert.equal(await (await fetch(signedUrl)).text(), 'signed')
  const part = await fetch(signedUrl, { headers: { range: 'bytes=1-2' } })
  assert.deepEqual([part.status, await part.text()], [206, 'ig'])
})

test('objects move, copy and go', async () => {
  await ok(files.upload(`${folder}/a`, Buffer.from('abc')))
  await ok(files.copy(`${folder}/a`, `${folder}/b`))
  await ok(files.move(`${folder}/a`, `${folder}/c`))
  const removed = await ok(files.remove([`${folder}/a`, `${folder}/b`, `${folder}/c`]))
  assert.deepEqual(removed.map((item) => item.name).sort(), [`${folder}/b`, `${folder}/c`])
})

test('tus-js-client uploads in chunks', async () => {
  const content = randomBytes(CHUNK + 1000)
  const objectName = `${folder}/film.bin`
  await upload(content, {
    metadata: { bucketName: BUCKET, objectName, contentType: 'video/x-test', cacheControl: '60' },
  })
  assert.equal(content.compare(await bytes(await ok(files.download(objectName)))), 0)
})

test('tus-js-client goes on with an upload that was aborted', async () => {
  const content = randomBytes(2 * CHUNK + 5)
  const objectName = `${folder}/aborted.bin`
  const metadata = { bucketName: BUCKET, objectName }
  const aborted = await upload(content, {
    metadata,
    onReady(run, resolve) {
      run.options.onChunkComplete = async () => {
        await run.abort()
        resolve(run)
      }
    },
  })
  assert.equal((await files.exists(objectName)).data, false)
  let resumedAt = null
  await upload(content, {
    metadata,
    uploadUrl: aborted.url,
    onProgress: (sent) => (resumedAt ??= sent),
  })
  assert.ok(resumedAt >= CHUNK, `it started again at ${resumedAt}`)
  assert.equal(content.compare(await bytes(await ok(files.download(objectName)))), 0)
})

test('tus-js-client uploads by a signature, with data in the first request', async () => {
  const objectName = `${folder}/by-signature.bin`
  const { token } = await ok(files.createSignedUploadUrl(objectName))
  await upload(Buffer.from('signed'), {
    endpoint: `${SUPABASE_URL}/storage/v1/upload/resumable/sign`,
    headers: { 'x-signature': token },
    uploadDataDuringCreation: true,
    metadata: { bucketName: BUCKET, objectName },
  })
  assert.equal(await (await ok(files.download(objectName))).text(), 'signed')
})

test('the claims of a session are verified with the public keys', async () => {
  const { claims, header } = await ok(supabase.auth.getClaims())
  assert.equal(claims.sub, signIn.user.id)
  assert.equal(header.alg, 'ES256')
})

const skip = process.env.FUNCTIONS ? false : 'needs the functions of tests/contract/supabase'
test('a function answers, with data or with an error of its own', { skip }, async () => {
  const { functions } = supabase
  const seen = await ok(functions.invoke('echo', { body: { n: 1 } }))
  assert.deepEqual([seen.method, JSON.parse(seen.body)], ['POST', { n: 1 }])
  assert.equal((await ok(functions.invoke('guarded'))).id, signIn.user.id)
  const refused = await functions.invoke('echo', { headers: { 'x-wanted-status': '429' } })
  assert.equal(refused.error.name, 'FunctionsHttpError')
  assert.equal(refused.error.context.status, 429)
  const broken = await functions.invoke('broken')
  assert.equal(broken.error.name, 'FunctionsRelayError')
})
