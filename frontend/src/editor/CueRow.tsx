import { Group, Text, Textarea } from '@mantine/core'
import { memo } from 'react'
import * as edit from '../subtitles/edit'
import { splitSelected } from './actions'
import { changeCues, seek, select } from './store'
import { TimeInput } from './TimeInput'

/** Characters a second: what most guidelines call the most that can be read. */
const FASTEST = 20

interface Props {
  cue: edit.EditorCue
  number: number
  selected: boolean
  /** Under the playhead. */
  current: boolean
}

/** One cue in the list. Drawn anew only when it changes itself. */
export const CueRow = memo(function CueRow({ cue, number, selected, current }: Props) {
  const speed = cue.text.length / ((cue.end - cue.start) / 1000)
  const setTimes = (times: { start?: number; end?: number }) =>
    changeCues((cues) => edit.setTimes(cues, cue.id, times), `times ${cue.id}`)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the fields in it take the focus
    <div
      className="cue"
      data-selected={selected || undefined}
      data-current={current || undefined}
      onFocus={() => select(cue.id)}
      onMouseDown={() => select(cue.id)}
    >
      <Text size="xs" c="dimmed" ta="right" pt={6} className="time number" aria-hidden>
        {number}
      </Text>
      <div>
        <Group gap={4} wrap="nowrap" mb={4}>
          <TimeInput
            label={`Start of cue ${number}`}
            value={cue.start}
            onChange={(start) => {
              setTimes({ start })
              seek(start)
            }}
          />
          <Text size="xs" c="dimmed" aria-hidden>
            –
          </Text>
          <TimeInput
            label={`End of cue ${number}`}
            value={cue.end}
            onChange={(end) => setTimes({ end })}
          />
          <Text
            size="xs"
            c={speed > FASTEST ? 'var(--mantine-color-error)' : 'dimmed'}
            ml="auto"
            className="time"
          >
            {Math.round(speed)} char/s
          </Text>
        </Group>
        <Textarea
          aria-label={`Text of cue ${number}`}
          data-cue={cue.id}
          autosize
          minRows={1}
          maxRows={6}
          // Mantine gives its own `dir` to the box around the field.
          attributes={{ input: { dir: 'auto' } }}
          value={cue.text}
          onChange={(event) => {
            const text = event.currentTarget.value
            changeCues((cues) => edit.setText(cues, cue.id, text), `text ${cue.id}`)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur()
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault()
              splitSelected(event.currentTarget.selectionStart)
            }
          }}
        />
      </div>
    </div>
  )
})
