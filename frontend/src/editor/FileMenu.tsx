import { ActionIcon, Alert, Menu, Modal } from '@mantine/core'
import { Ellipsis, FileDown, FileUp, Keyboard, X } from 'lucide-react'
import { useRef, useState } from 'react'
import { withIds, withoutIds } from '../subtitles/edit'
import { ImportError, importSubtitles, writeSrt } from '../subtitles/files'
import { change, closeVideo, useDocument, useEditor } from './store'
import { dropUpload } from './uploading'

const SUBTITLE_TYPES = '.srt,.vtt,.ass,.ssa,.json,text/vtt,application/x-subrip,application/json'

export function FileMenu({ onHelp }: { onHelp(): void }) {
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<string>()
  const { cues } = useDocument()
  const video = useEditor((state) => state.video)

  const take = async (file: File | undefined) => {
    if (!file) return
    try {
      const imported = await importSubtitles(file)
      change((document) =>
        imported.kind === 'cues'
          ? { ...document, cues: withIds(imported.cues), styled: null }
          : { ...document, cues: [], styled: imported.text },
      )
    } catch (reason) {
      if (!(reason instanceof ImportError)) throw reason
      setProblem(reason.message)
    }
  }

  return (
    <>
      <Menu position="bottom-end" withArrow>
        <Menu.Target>
          <ActionIcon size="lg" aria-label="More" ml="auto" my={4} mr={4}>
            <Ellipsis size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<FileUp size={16} aria-hidden />}
            onClick={() => input.current?.click()}
          >
            Import subtitles …
          </Menu.Item>
          <Menu.Item
            leftSection={<FileDown size={16} aria-hidden />}
            disabled={cues.length === 0}
            onClick={() => save(writeSrt(withoutIds(cues)), video?.name ?? 'subtitles')}
          >
            Save as SRT
          </Menu.Item>
          <Menu.Item leftSection={<Keyboard size={16} aria-hidden />} onClick={onHelp}>
            Keyboard shortcuts
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            color="red"
            leftSection={<X size={16} aria-hidden />}
            onClick={() => {
              dropUpload()
              closeVideo()
            }}
          >
            Close this video
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input
        ref={input}
        type="file"
        accept={SUBTITLE_TYPES}
        aria-label="Subtitle file"
        hidden
        onChange={(event) => {
          void take(event.currentTarget.files?.[0])
          event.currentTarget.value = ''
        }}
      />
      <Modal
        opened={problem !== undefined}
        onClose={() => setProblem(undefined)}
        title="The file could not be read"
        centered
      >
        <Alert color="red">{problem}</Alert>
      </Modal>
    </>
  )
}

function save(text: string, videoName: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/x-subrip' }))
  link.download = `${videoName.replace(/\.\w+$/, '')}.srt`
  link.click()
  URL.revokeObjectURL(link.href)
}
