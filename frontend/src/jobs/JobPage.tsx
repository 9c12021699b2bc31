import {
  Alert,
  Anchor,
  Button,
  Card,
  Group,
  Loader,
  Progress,
  Stack,
  Text,
  Title,
} from '@mantine/core'
import { ArrowLeft, Download, FileDown, RotateCcw, SquarePen, TriangleAlert, X } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { Link } from 'wouter'
import { useEditor } from '../editor/store'
import { useUpload } from '../editor/uploading'
import { videoService } from '../ffmpegService'
import { isFinal, type Job, type ResultUrls, type VideoServiceError, videoName } from '../service'
import { formatSpan } from '../subtitles/clock'
import { useVideoJob } from '../useVideoJob'
import { adviceFor } from './advice'
import { etaText, isCancelling, StatusBadge, stageText } from './Status'
import { submittedJob } from './submitted'

const VideoPlayer = lazy(() => import('../player/VideoPlayer'))

export function JobPage({ id }: { id: string }) {
  const { job, ahead, error, cancel, retry } = useVideoJob(videoService, id, submittedJob(id))
  return (
    <Stack p="md" maw={820} w="100%" mx="auto" gap="md">
      <Anchor component={Link} href="/jobs" size="sm" w="max-content">
        <Group gap={6}>
          <ArrowLeft size={16} aria-hidden /> All videos
        </Group>
      </Anchor>
      {error && (
        <Alert color="red" role="alert" title={adviceFor(error.code).title}>
          {error.message}
        </Alert>
      )}
      {!job && !error && (
        <Card withBorder>
          <div className="frame center">
            <Loader aria-label="Loading" />
          </div>
        </Card>
      )}
      {job && (
        <>
          <Group justify="space-between" wrap="nowrap">
            <Title order={1} size="h2" lineClamp={1}>
              {videoName(job)}
            </Title>
            <StatusBadge job={job} />
          </Group>
          <div role="status" className="visually-hidden">
            {isFinal(job) ? job.status : stageText(job, ahead)}
          </div>
          {job.status === 'completed' ? (
            <Result job={job} />
          ) : isFinal(job) ? (
            <Ended job={job} retry={retry} />
          ) : (
            <Working job={job} ahead={ahead} cancel={cancel} />
          )}
        </>
      )}
    </Stack>
  )
}

function Working({
  job,
  ahead,
  cancel,
}: {
  job: Job
  ahead: number | null
  cancel(): Promise<void>
}) {
  const open = useEditor((state) => state.video)
  const isOpen = useUpload((state) => state.path === job.input_path)
  return (
    <Card withBorder p={0}>
      <Stack className="frame center" gap="xs" p="md">
        {open && isOpen && (
          <video className="backdrop" src={`${open.url}#t=1`} muted playsInline aria-hidden />
        )}
        <Text fz={44} fw={650} className="time" lh={1}>
          {job.progress} %
        </Text>
        <Text>{stageText(job, ahead)}</Text>
        <Text size="sm" opacity={0.85} mih="1.5em" className="time">
          {etaText(job)}
        </Text>
      </Stack>
      <Progress
        value={job.progress}
        radius={0}
        size="lg"
        animated={job.status === 'processing'}
        aria-label="Progress"
      />
      <Group p="md" justify="space-between">
        <Text size="sm" c="dimmed" maw={420}>
          {job.error_message && job.attempt > 0
            ? `Try ${job.attempt} of ${job.max_attempts}: ${job.error_message}`
            : 'You can close this page. The work goes on.'}
        </Text>
        <Act
          icon={<X size={16} aria-hidden />}
          label="Cancel"
          disabled={isCancelling(job)}
          run={cancel}
        />
      </Group>
    </Card>
  )
}

function Ended({ job, retry }: { job: Job; retry(): Promise<void> }) {
  const advice = adviceFor(job.error_code ?? 'cancelled')
  const again = <Act icon={<RotateCcw size={16} aria-hidden />} label="Try again" run={retry} />
  return (
    <Card withBorder p={0}>
      <Stack className="frame center" gap="sm" p="lg">
        <TriangleAlert size={40} color="var(--mantine-color-dimmed)" aria-hidden />
        <Text fw={600} ta="center">
          {advice.title}
        </Text>
        <Text ta="center" maw={480} c="dimmed">
          {job.status === 'failed' ? job.error_message : 'This job was stopped before its end.'}
        </Text>
        <Group justify="center">
          {advice.action === 'edit' ? (
            <>
              <ToEditor filled />
              {again}
            </>
          ) : (
            <>
              {again}
              <ToEditor />
            </>
          )}
        </Group>
        {job.error_code && (
          <Text size="xs" c="dimmed">
            {job.error_code}
          </Text>
        )}
      </Stack>
    </Card>
  )
}

function Result({ job }: { job: Job }) {
  const { urls, poster, error } = useResult(job)
  const info = (job.output_info ?? {}) as Info
  return (
    <Card withBorder p={0}>
      <div className="result">
        {urls ? (
          <Suspense fallback={<div className="player-frame" />}>
            <VideoPlayer>
              {/* biome-ignore lint/a11y/useMediaCaption: they are burned in */}
              <video
                slot="media"
                playsInline
                preload="metadata"
                src={urls.video}
                poster={poster}
                aria-label={videoName(job)}
              />
            </VideoPlayer>
          </Suspense>
        ) : (
          <div className="player-frame center">
            {error && <Text role="alert">{error.message}</Text>}
          </div>
        )}
      </div>
      <Group p="md" justify="space-between">
        <Text size="sm" c="dimmed">
          {factsOf(info).join(' · ')}
        </Text>
        <Group gap="xs">
          <ToEditor />
          {urls?.sidecars.map(({ kind, url }) => (
            <Button
              key={kind}
              component="a"
              href={url}
              variant="default"
              leftSection={<FileDown size={16} aria-hidden />}
              aria-label={`Download the subtitles as ${kind.toUpperCase()}`}
            >
              {kind.toUpperCase()}
            </Button>
          ))}
          <Button
            component="a"
            href={urls?.download}
            disabled={!urls}
            leftSection={<Download size={16} aria-hidden />}
          >
            Download
          </Button>
        </Group>
      </Group>
      {info.warnings?.map((warning) => (
        <Alert key={warning.code} color="yellow" radius={0} icon={<TriangleAlert aria-hidden />}>
          {warning.message}
        </Alert>
      ))}
    </Card>
  )
}

function ToEditor({ filled = false }: { filled?: boolean }) {
  return (
    <Button
      component={Link}
      href="/"
      variant={filled ? 'filled' : 'default'}
      leftSection={<SquarePen size={16} aria-hidden />}
    >
      Back to the editor
    </Button>
  )
}

/** A button for something that takes a request, and may be refused. */
function Act({
  icon,
  label,
  run,
  disabled = false,
}: {
  icon: ReactNode
  label: string
  run(): Promise<void>
  disabled?: boolean
}) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const act = () => {
    setBusy(true)
    setProblem(undefined)
    run()
      .catch((reason: Error) => setProblem(reason.message))
      .finally(() => setBusy(false))
  }
  return (
    <Stack gap={4}>
      <Button variant="default" leftSection={icon} loading={busy} disabled={disabled} onClick={act}>
        {label}
      </Button>
      {problem && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {problem}
        </Text>
      )}
    </Stack>
  )
}

interface Info {
  duration_seconds?: number
  width?: number
  height?: number
  size_bytes?: number
  cues?: number
  warnings?: { code: string; message: string }[]
}

function factsOf({ duration_seconds, width, height, size_bytes, cues }: Info): string[] {
  return [
    duration_seconds !== undefined && formatSpan(duration_seconds),
    width && `${width} × ${height}`,
    size_bytes && `${(size_bytes / 1e6).toFixed(1)} MB`,
    cues && `${cues} subtitles`,
  ].filter((fact) => typeof fact === 'string')
}

function useResult(job: Job) {
  const [urls, setUrls] = useState<ResultUrls>()
  const [poster, setPoster] = useState<string>()
  const [error, setError] = useState<VideoServiceError>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a completed job changes no more
  useEffect(() => {
    let current = true
    Promise.all([videoService.resultUrls(job), videoService.posterUrls([job])]).then(
      ([found, posters]) => {
        if (!current) return
        setUrls(found)
        setPoster(posters.get(job.id))
      },
      (reason) => current && setError(reason),
    )
    return () => {
      current = false
    }
  }, [job.id])
  return { urls, poster, error }
}
