/**
 * The video service of this app. In yours, import your own client here: docs/frontend.md.
 */

import { createVideoService } from './service'
import { supabase } from './supabase'

export const videoService = createVideoService(supabase)

export const { embedSubtitlesIntoVideo, submit, watch, cancel, retry, list } = videoService

export type { Cue, Job, Progress, Style } from './service'
export { VideoServiceError } from './service'
