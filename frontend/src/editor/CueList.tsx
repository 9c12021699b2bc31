import { Button, Center, Stack, Text } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Plus } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { actions } from './actions'
import { CueRow } from './CueRow'
import { useDocument, useEditor } from './store'

const ROW_HEIGHT = 88

/** All cues; only those in sight are in the page. */
export function CueList() {
  const { cues } = useDocument()
  const selected = useEditor((state) => state.selected)
  const current = useEditor((state) => state.current)
  const scroll = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: cues.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => cues[index]?.id ?? index,
    overscan: 4,
  })

  const index = cues.findIndex((cue) => cue.id === selected)
  useEffect(() => {
    if (index >= 0) rows.scrollToIndex(index, { align: 'auto' })
  }, [index, rows])

  // While it plays, the list goes along, but not away from what is being written.
  const spoken = cues.findIndex((cue) => cue.id === current)
  useEffect(() => {
    const playing = useEditor.getState().player?.paused === false
    const writing = scroll.current?.contains(document.activeElement)
    if (playing && !writing && spoken >= 0) rows.scrollToIndex(spoken, { align: 'auto' })
  }, [spoken, rows])

  if (cues.length === 0) return <NoCues />
  return (
    <section className="scroll" ref={scroll} aria-label="Cues">
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => {
          const cue = cues[row.index]
          return (
            cue && (
              <div
                key={row.key}
                data-index={row.index}
                ref={rows.measureElement}
                style={{ position: 'absolute', insetInline: 0, top: row.start }}
              >
                <CueRow
                  cue={cue}
                  number={row.index + 1}
                  selected={cue.id === selected}
                  current={cue.id === current}
                />
              </div>
            )
          )
        })}
      </div>
    </section>
  )
}

function NoCues() {
  return (
    <Center flex={1} p="xl">
      <Stack align="center" gap="sm">
        <Text ta="center" c="dimmed" maw={280}>
          No subtitles yet. Import a file, or play the video and add a cue where someone speaks.
        </Text>
        <Button variant="light" leftSection={<Plus size={16} />} onClick={actions.add.run}>
          Add the first cue
        </Button>
      </Stack>
    </Center>
  )
}
