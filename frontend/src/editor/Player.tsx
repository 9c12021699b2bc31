import { Alert } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
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
import { createPreview, type Preview, scriptOf } from './preview'
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
        <MediaTimeDisplay showDuration />
        <MediaMuteButton />
        <MediaPlaybackRateButton rates={[0.5, 0.75, 1, 1.5, 2]} />
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
  const preview = useRef<Promise<Preview>>(null)

  useEffect(() => {
    if (!picture || !element.current) return
    const present = useEditor.getState().history.present
    const made = createPreview(element.current, scriptOf(present, picture))
    preview.current = made
    made.catch((reason) => console.error('no preview', reason))
    return () => {
      preview.current = null
      made.then(
        (made) => made.destroy(),
        () => undefined,
      )
    }
  }, [picture, element])

  useEffect(() => {
    if (picture)
      preview.current?.then((made) => made.show(scriptOf(document, picture)), console.warn)
  }, [document, picture])
}
