import { En } from 'media-chrome/dist/lang/en.js'
import { addTranslation } from 'media-chrome/dist/utils/i18n.js'
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
import type { ReactNode } from 'react'

// A button's name has to hold what is written on it, “1x”.
addTranslation('en', { ...En, 'Playback rate {playbackRate}': 'Playback rate {playbackRate}x' })

// An attribute that the React wrapper has no type for.
const CONTROLS = { mediacontroller: 'media' }

/**
 * A video (with `slot="media"`), what stands on it, and its controls. They stand below the picture, so that they never
 * hide what is written on it.
 */
export default function VideoPlayer({ children }: { children: ReactNode }) {
  return (
    <div className="player">
      <MediaController
        id="media"
        className="picture"
        noAutohide
        // The attribute for this is read before the page has the element that it names.
        ref={(controller) => {
          if (controller?.parentElement) controller.fullscreenElement = controller.parentElement
        }}
      >
        {children}
      </MediaController>
      <MediaControlBar {...CONTROLS}>
        <MediaPlayButton />
        <MediaTimeRange />
        <MediaTimeDisplay showDuration noToggle />
        <MediaMuteButton />
        <MediaPlaybackRateButton rates={[0.5, 0.75, 1, 1.5, 2]} />
        <MediaFullscreenButton />
      </MediaControlBar>
    </div>
  )
}
