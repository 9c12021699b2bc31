import { Center, Group, Loader, Tabs } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { videoService } from '../ffmpegService'
import { actions } from './actions'
import { CueList } from './CueList'
import { type Draft, keepDraft, loadDraft } from './draft'
import { FileMenu } from './FileMenu'
import { Help } from './Help'
import { OpenVideo, takeVideo } from './OpenVideo'
import { OutputPanel } from './OutputPanel'
import { Player } from './Player'
import { StylePanel } from './StylePanel'
import { SubmitButton } from './SubmitButton'
import { closeVideo, useDocument, useEditor } from './store'
import { Timeline } from './Timeline'
import { Toolbar } from './Toolbar'
import { dropUpload } from './uploading'

export default function EditorPage({ userId }: { userId: string }) {
  const video = useEditor((state) => (state.owner === userId ? state.video : null))
  const draft = useDraft(userId)
  if (video) return <Editor userId={userId} />
  if (draft === 'loading') {
    return (
      <Center flex={1}>
        <Loader aria-label="Loading" />
      </Center>
    )
  }
  return <OpenVideo draft={draft} />
}

/** Brings the draft back, with its video if that was kept; else it is asked for again. */
function useDraft(userId: string): Draft | undefined | 'loading' {
  const [draft, setDraft] = useState<Draft | 'loading' | undefined>('loading')
  useEffect(() => {
    let current = true
    let stop: (() => void) | undefined
    const begin = async () => {
      if (useEditor.getState().owner !== userId) {
        dropUpload()
        closeVideo()
        useEditor.setState({ owner: userId })
      }
      // The video is still open when someone comes back from another page.
      const stored = useEditor.getState().video ? undefined : await loadDraft(userId)
      if (!current) return
      stop = keepDraft(userId)
      if (stored?.file) takeVideo(stored.file, stored.name, stored.document, stored.path)
      setDraft(stored?.file ? undefined : stored)
    }
    void begin()
    return () => {
      current = false
      stop?.()
    }
  }, [userId])
  return draft
}

function Editor({ userId }: { userId: string }) {
  const video = useEditor((state) => state.video)
  const player = useEditor((state) => state.player)
  const { cues, styled } = useDocument()
  const [help, setHelp] = useState(false)

  useHotkeys([
    ...Object.values(actions).flatMap(({ keys, run }) =>
      keys.map((key): [string, () => void] => [key, run]),
    ),
    ['shift+?', () => setHelp(true)],
  ])

  useEffect(() => videoService.prepare(), [])

  if (!video) return null
  return (
    <div className="editor">
      <h1 className="visually-hidden">{video.name}</h1>
      <div className="stage">
        <Player key={video.url} video={video} />
        {player && <Timeline video={video} player={player} />}
      </div>
      <aside className="side" aria-label="Subtitles">
        <Tabs defaultValue="cues" keepMounted={false}>
          <Group gap={0} className="tabs">
            <Tabs.List>
              <Tabs.Tab value="cues">Subtitles{cues.length > 0 && ` (${cues.length})`}</Tabs.Tab>
              <Tabs.Tab value="style">Style</Tabs.Tab>
              <Tabs.Tab value="output">Result</Tabs.Tab>
            </Tabs.List>
            <FileMenu onHelp={() => setHelp(true)} />
          </Group>
          <Tabs.Panel value="cues">
            {styled ? (
              <Center flex={1} p="xl" ta="center">
                This file brings its own look, and is burned in as it is.
              </Center>
            ) : (
              <>
                <Toolbar />
                <CueList />
              </>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="style">
            <StylePanel />
          </Tabs.Panel>
          <Tabs.Panel value="output">
            <OutputPanel />
          </Tabs.Panel>
        </Tabs>
        <div className="footer">
          <SubmitButton userId={userId} />
        </div>
      </aside>
      <Help opened={help} onClose={() => setHelp(false)} />
    </div>
  )
}
