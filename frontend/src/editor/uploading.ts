/** The upload of the video that is being edited. It begins when the video is chosen. */

import { create } from 'zustand'
import { videoService } from '../ffmpegService'
import { VideoServiceError } from '../service'

interface UploadState {
  status: 'none' | 'running' | 'done' | 'failed'
  sent: number
  total: number
  path: string | null
  error: VideoServiceError | null
}

const NONE: UploadState = { status: 'none', sent: 0, total: 0, path: null, error: null }

export const useUpload = create<UploadState>(() => NONE)

const { getState, setState } = useUpload
let controller: AbortController | undefined

export function startUpload(file: Blob, name: string): void {
  controller?.abort()
  const own = new AbortController()
  controller = own
  setState({ ...NONE, status: 'running', total: file.size })
  videoService
    .upload(file, name, {
      signal: own.signal,
      onProgress: (sent, total) => {
        if (!own.signal.aborted) setState({ sent, total })
      },
    })
    .then(
      (path) => {
        if (!own.signal.aborted) setState({ status: 'done', path })
      },
      (reason: unknown) => {
        if (own.signal.aborted) return
        const error = reason instanceof VideoServiceError ? reason : null
        setState({ status: 'failed', error })
      },
    )
}

/** Stop, and forget: what was sent so far is removed from Storage too. */
export function dropUpload(): void {
  controller?.abort()
  setState(NONE)
}

export function uploadedAlready(path: string): void {
  setState({ ...NONE, status: 'done', path })
}

/** The path once it is there. Raises the upload's error, or the signal's reason. */
export function uploaded(signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = ({ status, path, error }: UploadState) => {
      if (path) return end(() => resolve(path))
      if (status === 'failed' || status === 'none') {
        end(() => reject(error ?? new VideoServiceError('upload_failed')))
      }
    }
    const abort = () => end(() => reject(signal.reason))
    const stop = useUpload.subscribe(look)
    const end = (settle: () => void) => {
      stop()
      signal.removeEventListener('abort', abort)
      settle()
    }
    signal.addEventListener('abort', abort)
    look(getState())
  })
}
