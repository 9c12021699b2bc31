import { Alert } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Gauge } from 'lucide-react'
import {
  MediaControlBar,
  MediaController,
  MediaFullscreenButton,
  MediaMuteButton,
  MediaPlayButton,
  MediaPlaybackRateButton,
  MediaTimeDisplay,
  MediaTimeRange,
} from 'media-chrome/react'
import { type RefObject, useEffect, useRef, useState } from 'react'
import type { Preview } from './preview'
import { useDocument, useEditor, type Video } from './store'

const REDRAW_AFTER = 120
// Attributes that the React wrappers have no types for. The controls stand below the picture, so that
// they never hide what is written on it.
const FULLSCREEN = { fullscreenelement: 'player' }
const CONTROLS = { mediacontroller: 'media' }

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
  usePreview(element)

  return (
    <div className="player" id="player">
      <MediaController id="media" className="picture" noAutohide {...FULLSCREEN}>
        {/* biome-ignore lint/a11y/useMediaCaption: the subtitles are what is drawn on it */}
        <video
          ref={element}
          slot="media"
          src={video.url}
          preload="auto"
          playsInline
          aria-label={video.name}
          onLoadedMetadata={measure}
          onError={() => setUnplayable(true)}
        />
      </MediaController>
      <MediaControlBar {...CONTROLS}>
        <MediaPlayButton />
        <MediaTimeRange />
        <MediaTimeDisplay showDuration noToggle />
        <MediaMuteButton />
        <MediaPlaybackRateButton rates={[0.5, 0.75, 1, 1.5, 2]}>
          <Gauge slot="icon" size={20} aria-hidden style={{ fill: 'none' }} />
        </MediaPlaybackRateButton>
        <MediaFullscreenButton />
      </MediaControlBar>
      {unplayable && (
        <Alert role="status" radius={0}>
          This browser can’t play the video, but the worker may read it all the same.
        </Alert>
      )}
    </div>
  )
}

function usePreview(element: RefObject<HTMLVideoElement | null>) {
  const picture = useEditor((state) => state.picture)
  const [document] = useDebouncedValue(useDocument(), REDRAW_AFTER)
  const [preview, setPreview] = useState<Preview>()

  useEffect(() => {
    const video = element.current
    if (!picture || !video) return
    let current = true
    let made: Preview | undefined
    import('./preview')
      .then(({ createPreview }) => createPreview(video, picture))
      .then((created) => {
        made = created
        if (current) setPreview(created)
        else created.destroy()
      })
      .catch((reason) => console.error('no preview', reason))
    return () => {
      current = false
      made?.destroy()
      setPreview(undefined)
    }
  }, [picture, element])

  useEffect(() => preview?.show(document), [preview, document])
}
