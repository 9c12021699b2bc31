import { ActionIcon, Button, Group, NumberInput, Popover, Stack, Tooltip } from '@mantine/core'
import { ClockArrowUp, Combine, Plus, Redo2, Scissors, Trash2, Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import * as edit from '../subtitles/edit'
import { type Action, actions } from './actions'
import { keyName } from './keys'
import { changeCues, useDocument, useEditor } from './store'

export function Toolbar() {
  const { cues } = useDocument()
  const selected = useEditor((state) => state.selected)
  const canUndo = useEditor((state) => state.history.past.length > 0)
  const canRedo = useEditor((state) => state.history.future.length > 0)
  const index = cues.findIndex((cue) => cue.id === selected)
  const none = index < 0
  return (
    <Group gap={2} p={6} wrap="nowrap" role="toolbar" aria-label="Cues" className="toolbar">
      <Tool action={actions.add} icon={<Plus size={18} />} />
      <Tool action={actions.split} icon={<Scissors size={18} />} disabled={none} />
      <Tool
        action={actions.merge}
        icon={<Combine size={18} />}
        disabled={none || index === cues.length - 1}
      />
      <Tool action={actions.remove} icon={<Trash2 size={18} />} disabled={none} />
      <Shift selected={none ? undefined : (selected ?? undefined)} disabled={cues.length === 0} />
      <Group gap={2} ml="auto" wrap="nowrap">
        <Tool action={actions.undo} icon={<Undo2 size={18} />} disabled={!canUndo} />
        <Tool action={actions.redo} icon={<Redo2 size={18} />} disabled={!canRedo} />
      </Group>
    </Group>
  )
}

function Tool({
  action,
  icon,
  disabled = false,
}: {
  action: Action
  icon: ReactNode
  disabled?: boolean
}) {
  return (
    <Tooltip label={`${action.label} (${keyName(action.keys[0] ?? '')})`} openDelay={400}>
      <ActionIcon size="lg" aria-label={action.label} disabled={disabled} onClick={action.run}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}

/** Moves all cues, or those from the selected one on. */
function Shift({ selected, disabled }: { selected: string | undefined; disabled: boolean }) {
  const [seconds, setSeconds] = useState<number | string>(0.5)
  const [opened, setOpened] = useState(false)
  const shift = (from?: string) => {
    changeCues((cues) => edit.shift(cues, Number(seconds) * 1000, from))
    setOpened(false)
  }
  return (
    <Popover opened={opened} onChange={setOpened} trapFocus withArrow shadow="md">
      <Popover.Target>
        <Tooltip label="Shift cues in time" openDelay={400}>
          <ActionIcon
            size="lg"
            aria-label="Shift cues in time"
            disabled={disabled}
            onClick={() => setOpened(!opened)}
          >
            <ClockArrowUp size={18} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <NumberInput
            label="Seconds"
            description="Negative: earlier"
            value={seconds}
            onChange={setSeconds}
            step={0.1}
            decimalScale={3}
            data-autofocus
          />
          <Button size="xs" onClick={() => shift()}>
            Shift all cues
          </Button>
          <Button size="xs" variant="default" disabled={!selected} onClick={() => shift(selected)}>
            From the selected one on
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
