import {
  Button,
  Checkbox,
  ColorInput,
  Fieldset,
  Group,
  Input,
  NumberInput,
  Radio,
  Select,
  SimpleGrid,
  Slider,
  Stack,
  Switch,
  TextInput,
} from '@mantine/core'
import type { FullStyle, Style } from '../service/types'
import { FIELDS, type Field, withDefaults, withoutDefaults } from '../subtitles/style'
import { change, useDocument } from './store'

/** Which fields belong together; one that the schema has and this list has not comes last. */
const GROUPS: [string, (keyof FullStyle)[]][] = [
  ['Text', ['font', 'size', 'color', 'letter_spacing', 'bold', 'italic']],
  ['Place', ['position', 'margin_vertical', 'margin_horizontal']],
  ['Outline and shadow', ['outline', 'outline_color', 'shadow', 'shadow_color']],
  ['Box', ['box_color', 'box_padding']],
  ['Lines', ['max_characters', 'max_lines']],
  ['Words', ['highlight', 'highlight_color']],
]
const GROUPED = GROUPS.flatMap(([, names]) => names)
const OTHERS = FIELDS.map(({ name }) => name).filter((name) => !GROUPED.includes(name))

const PRESETS: [string, Style][] = [
  ['Classic', {}],
  ['Yellow', { color: '#FFE14D', bold: true }],
  ['Box', { box_color: '#000000B3', outline: 0, size: 6.5 }],
  ['Cinema', { size: 6, outline: 3, shadow: 4, margin_vertical: 8, italic: true }],
]

export function StylePanel() {
  const { style, styled } = useDocument()
  const full = withDefaults(style)
  const set = (name: keyof FullStyle, value: unknown) =>
    change(
      (document) => ({
        ...document,
        style: withoutDefaults({ ...withDefaults(document.style), [name]: value }),
      }),
      `style ${name}`,
    )
  return (
    <div className="scroll">
      <Stack p="md" gap="md">
        {styled && <Input.Description>The imported file brings its own look.</Input.Description>}
        <Group gap={6} role="group" aria-label="Ready-made styles">
          {PRESETS.map(([name, preset]) => (
            <Button
              key={name}
              size="compact-sm"
              variant="default"
              onClick={() => change((document) => ({ ...document, style: preset }))}
            >
              {name}
            </Button>
          ))}
        </Group>
        {[...GROUPS, ['More', OTHERS] as const].map(
          ([legend, names]) =>
            names.length > 0 && (
              <Fieldset key={legend} legend={legend} p="sm" disabled={styled !== null}>
                <SimpleGrid cols={2} spacing="sm" verticalSpacing="sm">
                  {FIELDS.filter(({ name }) => names.includes(name))
                    .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
                    .map((field) => (
                      <StyleField
                        key={field.name}
                        field={field}
                        value={full[field.name]}
                        onChange={(value) => set(field.name, value)}
                      />
                    ))}
                </SimpleGrid>
              </Fieldset>
            ),
        )}
      </Stack>
    </div>
  )
}

interface FieldProps {
  field: Field
  value: unknown
  onChange(value: unknown): void
}

function StyleField({ field, value, onChange }: FieldProps) {
  const label = labelOf(field.name)
  const common = { label, title: field.description, size: 'xs' as const }
  switch (field.kind) {
    case 'flag':
      return (
        <Switch
          {...common}
          size="sm"
          checked={Boolean(value)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      )
    case 'color':
      return <ColorField field={field} value={value as string | null} onChange={onChange} />
    case 'number':
      return field.optional ? (
        <NumberInput
          {...common}
          value={(value as number | null) ?? ''}
          placeholder="as many as fit"
          min={field.minimum}
          max={field.maximum}
          step={field.step}
          onChange={(next) => onChange(next === '' ? null : next)}
        />
      ) : (
        <NumberField field={field} value={value as number} onChange={onChange} />
      )
    case 'choice':
      return field.name === 'position' ? (
        <PositionField field={field} value={String(value)} onChange={onChange} />
      ) : (
        <Select
          {...common}
          data={field.choices}
          value={String(value)}
          allowDeselect={false}
          onChange={onChange}
        />
      )
    default:
      return (
        <TextInput
          {...common}
          value={String(value)}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )
  }
}

function NumberField({ field, value, onChange }: FieldProps & { value: number }) {
  const label = labelOf(field.name)
  const unit = field.description.includes('per cent') ? ' %' : ''
  return (
    <Input.Wrapper
      label={`${label}: ${value}${unit}`}
      size="xs"
      labelElement="div"
      title={field.description}
    >
      <Slider
        size="sm"
        mt={6}
        label={null}
        thumbLabel={label}
        min={field.minimum}
        max={field.maximum}
        step={field.step}
        value={value}
        onChange={onChange}
      />
    </Input.Wrapper>
  )
}

function ColorField({ field, value, onChange }: FieldProps & { value: string | null }) {
  const label = labelOf(field.name)
  const input = (
    <ColorInput
      label={field.optional ? undefined : label}
      aria-label={label}
      title={field.description}
      size="xs"
      format="hexa"
      disabled={value === null}
      value={value ?? '#000000B3'}
      onChange={(next) => onChange(next.toUpperCase())}
      eyeDropperButtonProps={{ 'aria-label': 'Pick a color from the screen' }}
    />
  )
  if (!field.optional) return input
  return (
    <Stack gap={4}>
      <Checkbox
        size="xs"
        label={label}
        checked={value !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? '#000000B3' : null)}
      />
      {input}
    </Stack>
  )
}

/** Nine places, laid out as they are on the picture. */
function PositionField({ field, value, onChange }: FieldProps & { value: string }) {
  const rows = ['top', 'middle', 'bottom']
  return (
    <Radio.Group
      label="Position"
      size="xs"
      value={value}
      onChange={onChange}
      style={{ gridRow: 'span 2' }}
    >
      <div className="places">
        {field.choices
          .toSorted(
            (a, b) => rows.indexOf(a.split('-')[0] ?? '') - rows.indexOf(b.split('-')[0] ?? ''),
          )
          .map((choice) => (
            <Radio key={choice} value={choice} size="xs" aria-label={choice.replace('-', ' ')} />
          ))}
      </div>
    </Radio.Group>
  )
}

function labelOf(name: keyof FullStyle): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
