import { Alert, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { type RefObject, useEffect, useRef, useState } from 'react'
import VideoPlayer from '../player/VideoPlayer'
import { createPreview, type Preview } from './preview'
import { followPlayhead, useDocument, useEditor, type Video } from './store'

const REDRAW_AFTER = 120

/** The video with the subtitles as they will be burned in. */
export function Player({ video }: { video: Video }) {
  const element = useRef<HTMLVideoElement>(null)
  const [unplayable, setUnplayable] = useState(false)

  useEffect(() => {
    useEditor.setState({ player: element.current })
    return () => useEditor.setState({ player: null })
  }, [])

  const measure = () => {
    const { videoWidth: width, videoHeight: height, duration } = element.current ?? {}
    if (width && height && duration) useEditor.setState({ picture: { width, height, duration } })
  }
  const drawn = usePreview(element)

  return (
    <>
      <VideoPlayer>
        {/* biome-ignore lint/a11y/useMediaCaption: the subtitles are what is drawn on it */}
        <video
          ref={element}
          slot="media"
          src={video.url}
          preload="auto"
          playsInline
          aria-label={video.name}
          onLoadedMetadata={measure}
          onTimeUpdate={followPlayhead}
          onError={() => setUnplayable(true)}
        />
        <Text slot="top-chrome" role="status" size="sm" className="no-preview">
          {!drawn && 'No preview: its files can’t be loaded. It comes back with the network.'}
        </Text>
      </VideoPlayer>
      {unplayable && (
        <Alert role="status">
          This browser can’t play the video, but the worker may read it all the same.
        </Alert>
      )}
    </>
  )
}

/** Returns whether it is there. */
function usePreview(element: RefObject<HTMLVideoElement | null>): boolean {
  const picture = useEditor((state) => state.picture)
  const [document] = useDebouncedValue(useDocument(), REDRAW_AFTER)
  const [preview, setPreview] = useState<Preview>()
  const [drawn, setDrawn] = useState(true)

  useEffect(() => {
    const video = element.current
    if (!picture || !video) return
    const made = createPreview(video, picture, setDrawn)
    setPreview(made)
    return () => {
      made.destroy()
      setPreview(undefined)
    }
  }, [picture, element])

  useEffect(() => preview?.show(document), [preview, document])
  return drawn
}
