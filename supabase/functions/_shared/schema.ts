/** Checks a value by a JSON Schema and says what is wrong where. Makes no code from strings. */

import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema'

export interface Fault {
  /** As it is written in JavaScript: `cues[3].start`; empty for the value itself. */
  field: string
  reason: string
}

export function createCheck(schema: object): (value: unknown) => Fault | null {
  const validator = new Validator(schema as Schema, '2020-12')
  return (value) => {
    const { valid, errors } = validator.validate(value)
    return valid ? null : faultOf(errors)
  }
}

/** Of a failure there is one error for each level above it: the deepest place says what is wrong. */
function faultOf(errors: OutputUnit[]): Fault {
  const depth = (error: OutputUnit) => error.instanceLocation.split('/').length
  const deepest = Math.max(...errors.map(depth))
  const causes = errors.filter((error) => depth(error) === deepest && !isFrame(error))
  const cause = causes[0] ?? errors[errors.length - 1]!
  return { field: fieldOf(cause.instanceLocation), reason: reasonOf(cause) }
}

function isFrame(error: OutputUnit): boolean {
  return ['$ref', 'allOf', 'anyOf', 'items', 'oneOf', 'properties'].includes(error.keyword)
}

function fieldOf(pointer: string): string {
  return pointer.split('/').slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => /^\d+$/.test(part) ? `[${part}]` : `.${part}`)
    .join('').replace(/^\./, '')
}

function reasonOf(error: OutputUnit): string {
  if (error.keyword === 'false') return 'there is no such field'
  const text = error.error.replace(/\.$/, '')
  return text.charAt(0).toLowerCase() + text.slice(1)
}
