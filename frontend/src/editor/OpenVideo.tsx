import { Button, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { Clapperboard, FileVideo } from 'lucide-react'
import { type DragEvent, useRef, useState } from 'react'
import { withIds } from '../subtitles/edit'
import { importSubtitles } from '../subtitles/files'
import type { Draft } from './draft'
import { type Document, EMPTY, openVideo } from './store'
import { dropUpload, startUpload, uploadedAlready } from './uploading'

const VIDEO_TYPES = 'video/*,.mkv,.flv,.ts,.mts'

/** Take a video: show it, and begin to upload it. */
export function takeVideo(
  file: Blob,
  name: string,
  document: Document = EMPTY,
  path?: string | null,
) {
  dropUpload()
  openVideo(file, name, document)
  if (path) uploadedAlready(path)
  else startUpload(file, name)
}

async function takeSample() {
  const [video, subtitles] = await Promise.all(
    ['sample.mp4', 'sample.srt'].map(async (name) => (await fetch(`/sample/${name}`)).blob()),
  )
  if (!video || !subtitles) return
  const imported = await importSubtitles(subtitles)
  const cues = imported.kind === 'cues' ? withIds(imported.cues) : []
  takeVideo(new File([video], 'sample.mp4', { type: 'video/mp4' }), 'sample.mp4', {
    ...EMPTY,
    cues,
  })
}

/** The first thing to see. `draft`: one whose video has to be chosen again. */
export function OpenVideo({ draft }: { draft?: Draft | undefined }) {
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const take = (file: File | undefined) => {
    if (file) takeVideo(file, file.name, draft?.document)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer.files[0])
  }
  return (
    <Stack flex={1} p="md" align="center" justify="center">
      <section
        aria-label="Open a video"
        className="drop"
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        style={{ width: '100%', maxWidth: 640 }}
      >
        <Stack align="center" p={{ base: 'lg', sm: 48 }} gap="lg">
          <ThemeIcon size={64} radius="xl" variant="light">
            <FileVideo size={32} aria-hidden />
          </ThemeIcon>
          <Stack gap={4} align="center">
            <Title order={1} size="h2" ta="center">
              {draft ? `Choose “${draft.name}” again` : 'Drop a video here'}
            </Title>
            <Text c="dimmed" ta="center">
              {draft
                ? 'Its subtitles are still here, and its upload goes on where it stopped.'
                : 'Write its subtitles, see them as they will be, and burn them in.'}
            </Text>
          </Stack>
          <Group justify="center">
            <Button size="md" onClick={() => input.current?.click()}>
              Choose a video
            </Button>
            <Button
              size="md"
              variant="default"
              leftSection={<Clapperboard size={18} aria-hidden />}
              onClick={() => void takeSample()}
            >
              Try the sample
            </Button>
          </Group>
          <input
            ref={input}
            type="file"
            accept={VIDEO_TYPES}
            aria-label="Video file"
            hidden
            onChange={(event) => take(event.currentTarget.files?.[0])}
          />
          <Text size="sm" c="dimmed">
            MP4, MOV, MKV, WebM, AVI and more
          </Text>
        </Stack>
      </section>
    </Stack>
  )
}
