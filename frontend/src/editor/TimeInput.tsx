import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { formatTime, parseTime } from '../subtitles/clock'

const STEP = 100

interface Props {
  label: string
  value: number
  onChange(milliseconds: number): void
}

/** A time that can be typed in any common form, or stepped with the arrow keys. */
export function TimeInput({ label, value, onChange }: Props) {
  const [typed, setTyped] = useState<string>()
  const parsed = typed === undefined ? value : parseTime(typed)
  const commit = () => {
    if (parsed !== undefined && parsed !== value) onChange(parsed)
    setTyped(undefined)
  }
  return (
    <TextInput
      aria-label={label}
      className="time"
      classNames={{ input: 'time' }}
      size="xs"
      w={86}
      value={typed ?? formatTime(value)}
      error={parsed === undefined}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit()
        if (event.key === 'Escape') setTyped(undefined)
        if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
          event.preventDefault()
          setTyped(undefined)
          onChange(Math.max(0, (parsed ?? value) + (event.key === 'ArrowUp' ? STEP : -STEP)))
        }
      }}
    />
  )
}
