/** The style of the options' schema, which the worker owns. */

import schema from '../../../supabase/functions/_shared/options.schema.json'
import type { FullStyle, Style } from '../service/types'

export const DEFAULT_STYLE = schema.properties.style.default as FullStyle

export function withDefaults(style: Style): FullStyle {
  return { ...DEFAULT_STYLE, ...style }
}

/** Only what differs from the defaults: what is not said follows the worker's. */
export function withoutDefaults(style: FullStyle): Style {
  const entries = Object.entries(style) as [keyof FullStyle, unknown][]
  return Object.fromEntries(entries.filter(([name, value]) => value !== DEFAULT_STYLE[name]))
}

/** One field of the style, as the schema describes it. */
export interface Field {
  name: keyof FullStyle
  kind: 'text' | 'color' | 'flag' | 'number' | 'choice'
  description: string
  optional: boolean
  minimum: number
  maximum: number
  step: number
  choices: string[]
}

interface Property {
  type?: string
  description?: string
  pattern?: string
  minimum?: number
  maximum?: number
  enum?: string[]
  anyOf?: Property[]
}

export const FIELDS: Field[] = Object.entries(
  schema.$defs.Style.properties as Record<string, Property>,
).map(([name, property]) => {
  const alternatives = property.anyOf ?? [property]
  const own = alternatives.find(({ type }) => type !== 'null') ?? property
  const whole = own.type === 'integer'
  return {
    name: name as keyof FullStyle,
    kind: kindOf(own),
    description: property.description ?? '',
    optional: alternatives.length > 1,
    minimum: own.minimum ?? 0,
    maximum: own.maximum ?? 100,
    step: whole ? 1 : 0.5,
    choices: own.enum ?? [],
  }
})

function kindOf({ type, pattern, enum: choices }: Property): Field['kind'] {
  if (choices) return 'choice'
  if (type === 'boolean') return 'flag'
  if (type === 'number' || type === 'integer') return 'number'
  return pattern?.startsWith('^#') ? 'color' : 'text'
}
