import assert from 'node:assert/strict'
import optionsSchema from './options.schema.json' with { type: 'json' }
import { createCheck } from './schema.ts'

const check = createCheck({
  type: 'object',
  additionalProperties: false,
  properties: {
    list: { type: 'array', items: { properties: { at: { type: 'number', maximum: 9 } } } },
    'a/b~c': { type: 'string' },
    color: { anyOf: [{ type: 'string', pattern: '^#' }, { type: 'null' }] },
  },
})

Deno.test('a value that fits has no fault', () => {
  assert.equal(check({ list: [{ at: 1 }], color: null }), null)
})

for (
  const [value, field, reason] of [
    [{ list: [{ at: 1 }, { at: 10 }] }, 'list[1].at', '10 is greater than 9'],
    [{ 'a/b~c': 1 }, 'a/b~c', 'instance type "number" is invalid. Expected "string"'],
    [{ color: 'red' }, 'color', 'string does not match pattern'],
    [{ colour: '#fff' }, 'colour', 'there is no such field'],
    [7, '', 'instance type "number" is invalid. Expected "object"'],
  ] as const
) {
  Deno.test(`${JSON.stringify(value)} is at fault in ${field || 'itself'}`, () => {
    assert.deepEqual(check(value), { field, reason })
  })
}

Deno.test('what the worker takes by default is valid here, too', () => {
  const defaults = optionsSchema.properties.style.default
  assert.equal(createCheck(optionsSchema)({ style: defaults }), null)
})
