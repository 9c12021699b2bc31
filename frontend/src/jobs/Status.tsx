import { Badge } from '@mantine/core'
import type { Job } from '../service'
import { formatSpan } from '../subtitles/clock'

const LOOKS: Record<Job['status'], { label: string; color: string }> = {
  queued: { label: 'Waiting', color: 'gray' },
  processing: { label: 'Working', color: 'indigo' },
  completed: { label: 'Ready', color: 'teal' },
  failed: { label: 'Failed', color: 'red' },
  cancelled: { label: 'Cancelled', color: 'gray' },
}

const STAGES: Record<NonNullable<Job['stage']>, string> = {
  download: 'Fetching the video',
  probe: 'Looking at the video',
  subtitles: 'Setting the subtitles',
  render: 'Burning the subtitles in',
  upload: 'Storing the result',
}

export function StatusBadge({ job }: { job: Job }) {
  const { label, color } = LOOKS[job.status]
  return (
    <Badge
      variant="light"
      color={color}
      className="status"
      style={{ '--badge-color': `var(--mantine-color-${color}-6)` }}
      data-status={job.status}
    >
      {isCancelling(job) ? 'Cancelling' : label}
    </Badge>
  )
}

export function isCancelling(job: Job): boolean {
  return job.status === 'processing' && job.cancel_requested_at !== null
}

/** What happens to the job now, in words. */
export function stageText(job: Job, ahead: number | null = null): string {
  if (job.status === 'queued') {
    if (job.attempt > 0) return 'Waiting for another try'
    if (ahead === null) return 'Waiting for its turn'
    return ahead === 0 ? 'Next in line' : `${ahead >= 1000 ? 'Over 1000' : ahead} before it in line`
  }
  if (isCancelling(job)) return 'Stopping'
  return job.stage ? STAGES[job.stage] : 'Starting'
}

export function etaText(job: Job): string {
  if (job.status !== 'processing' || job.eta_seconds === null) return ''
  return job.eta_seconds < 2 ? 'almost done' : `about ${formatSpan(job.eta_seconds)} left`
}

/** `5 min ago`, in the reader's language. */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ]
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return unit === 'second' ? 'just now' : format.format(Math.round(seconds / length), unit)
}
