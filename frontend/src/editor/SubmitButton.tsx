import { Alert, Button, CloseButton, Group, Progress, Text } from '@mantine/core'
import { Flame } from 'lucide-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { adviceFor } from '../jobs/advice'
import { VideoServiceError } from '../service'
import { useDocument, useEditor } from './store'
import { submitDraft } from './submit'
import { startUpload, useUpload } from './uploading'

/** The one button that matters, and what stands in its way. */
export function SubmitButton({ userId }: { userId: string }) {
  const { cues, styled } = useDocument()
  const upload = useUpload()
  const video = useEditor((state) => state.video)
  const [, navigate] = useLocation()
  const [controller, setController] = useState<AbortController>()
  const [error, setError] = useState<VideoServiceError>()

  const submit = async () => {
    const own = new AbortController()
    setController(own)
    setError(undefined)
    if (upload.status === 'failed' && video) startUpload(video.file, video.name)
    try {
      const job = await submitDraft(userId, own.signal)
      navigate(`/jobs/${job.id}`)
    } catch (reason) {
      if (own.signal.aborted) return
      const failure =
        reason instanceof VideoServiceError ? reason : new VideoServiceError('unexpected')
      setError(failure)
      // It was uploaded once, and is gone from Storage: the next press finds it there again.
      if (failure.code === 'input_missing' && video) startUpload(video.file, video.name)
    } finally {
      setController(undefined)
    }
  }

  const percent = upload.total ? Math.floor((100 * upload.sent) / upload.total) : 0
  const empty = !styled && cues.every((cue) => !cue.text.trim())
  const problem = error ?? (upload.status === 'failed' ? upload.error : null)
  return (
    <>
      <Group gap="sm" wrap="nowrap" className="submit">
        <div role="status" style={{ flex: 1, minWidth: 0 }}>
          {upload.status === 'running' && (
            <>
              <Text size="sm" c="dimmed" className="time">
                Uploading … {percent} %
              </Text>
              <Progress value={percent} size="xs" aria-label="Upload" />
            </>
          )}
          {upload.status === 'done' && (
            <Text size="sm" c="dimmed">
              Uploaded
            </Text>
          )}
        </div>
        {controller && (
          <Button variant="default" onClick={() => controller.abort()}>
            Cancel
          </Button>
        )}
        <Button
          leftSection={<Flame size={18} aria-hidden />}
          loading={controller !== undefined}
          disabled={empty}
          onClick={() => void submit()}
        >
          Burn subtitles
        </Button>
      </Group>
      {problem && (
        <Alert color="red" role="alert" title={adviceFor(problem.code).title} mt="xs">
          <Group justify="space-between" wrap="nowrap">
            {problem.message}
            <CloseButton aria-label="Dismiss" onClick={() => setError(undefined)} />
          </Group>
        </Alert>
      )}
    </>
  )
}
