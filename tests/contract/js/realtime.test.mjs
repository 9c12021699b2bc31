// supabase-js over Realtime, in both versions of its protocol, as a browser uses it.
// TOPIC is a private topic: EMAIL's user may listen and speak there, nobody else.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createClient } from '@supabase/supabase-js'
import WebSocket from 'ws'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, EMAIL, PASSWORD, TABLE, TOPIC } = process.env

// The last one that a client has opened.
let connection
class Transport extends WebSocket {
  constructor(...parameters) {
    super(...parameters)
    connection = this
  }
}

async function signedIn(vsn) {
  const supabase = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: Transport, vsn },
  })
  const { error } = await supabase.auth.signInWithPassword({ email: EMAIL, password: PASSWORD })
  if (error) throw error
  await supabase.realtime.setAuth()
  return supabase
}

// What was emitted, in order; `next` waits for it.
function inbox() {
  const events = []
  const waiting = []
  return {
    put: (event) => (waiting.length ? waiting.shift()(event) : events.push(event)),
    next: () => (events.length ? events.shift() : new Promise((resolve) => waiting.push(resolve))),
  }
}

// Resolves with the first status; a channel that watches the table is ready at its system message.
function joined(channel) {
  return new Promise((resolve) => channel.subscribe((status, error) => resolve([status, error])))
}

for (const vsn of ['1.0.0', '2.0.0']) {
  test(`changes arrive through the policies, vsn ${vsn}`, async () => {
    const supabase = await signedIn(vsn)
    const changes = inbox()
    const system = inbox()
    const watched = { event: '*', schema: 'public', table: TABLE, filter: 'stars=eq.77' }
    const channel = supabase
      .channel('changes')
      .on('postgres_changes', watched, changes.put)
      .on('system', {}, system.put)
    assert.deepEqual(await joined(channel), ['SUBSCRIBED', undefined])
    assert.equal((await system.next()).message, 'Subscribed to PostgreSQL')

    const table = () => supabase.from(TABLE)
    const { data: row } = await table().insert({ title: 'one', stars: 77 }).select().single()
    const inserted = await changes.next()
    assert.equal(inserted.eventType, 'INSERT')
    assert.deepEqual([inserted.new, inserted.old, inserted.errors], [row, {}, null])
    await table().update({ title: 'two' }).eq('id', row.id)
    const updated = await changes.next()
    assert.deepEqual([updated.new.title, updated.old], ['two', { id: row.id }])

    await table().delete().eq('id', row.id)
    assert.equal(await supabase.removeChannel(channel), 'ok')
    await supabase.removeAllChannels()
  })

  test(`a private channel is heard by those who may, vsn ${vsn}`, async () => {
    const [sender, receiver] = await Promise.all([signedIn(vsn), signedIn(vsn)])
    const heard = inbox()
    const room = { config: { private: true, broadcast: { ack: true } } }
    const listening = receiver.channel(TOPIC, room).on('broadcast', { event: 'note' }, heard.put)
    const speaking = sender.channel(TOPIC, room)
    for (const channel of [listening, speaking]) {
      assert.deepEqual(await joined(channel), ['SUBSCRIBED', undefined])
    }
    const note = { type: 'broadcast', event: 'note', payload: { n: 1 } }
    assert.equal(await speaking.send(note), 'ok')
    assert.deepEqual((await heard.next()).payload, { n: 1 })
    await speaking.httpSend('note', { n: 2 })
    assert.deepEqual((await heard.next()).payload, { n: 2 })
    const [status, error] = await joined(sender.channel(`${TOPIC}-other`, room))
    assert.equal(status, 'CHANNEL_ERROR')
    assert.match(error.message, /do not have permissions to read/)
    await Promise.all([sender.removeAllChannels(), receiver.removeAllChannels()])
  })

  test(`a connection that was cut comes back with its channels, vsn ${vsn}`, async () => {
    const supabase = await signedIn(vsn)
    const statuses = inbox()
    const heard = inbox()
    const name = `lobby-${randomBytes(4).toString('hex')}`
    const lobby = supabase.channel(name, { config: { broadcast: { self: true } } })
    lobby.on('broadcast', { event: 'hi' }, heard.put).subscribe((status) => statuses.put(status))
    assert.equal(await statuses.next(), 'SUBSCRIBED')
    connection.terminate()
    while ((await statuses.next()) !== 'SUBSCRIBED');
    await lobby.send({ type: 'broadcast', event: 'hi', payload: {} })
    assert.equal((await heard.next()).event, 'hi')
    await supabase.removeAllChannels()
  })
}
