import {
  Alert,
  Anchor,
  Button,
  Card,
  Center,
  Group,
  Image,
  Progress,
  Skeleton,
  Stack,
  Text,
  Title,
} from '@mantine/core'
import { Film } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { videoService } from '../ffmpegService'
import type { Job } from '../service'
import { videoName } from '../service'
import { ago, etaText, StatusBadge, stageText } from './Status'
import { useJobs } from './useJobs'

export function JobsPage() {
  const { jobs, error, hasMore, loadMore } = useJobs(videoService)
  const posters = usePosters(jobs)
  return (
    <Stack p="md" maw={820} w="100%" mx="auto" gap="sm">
      <Title order={1} size="h2">
        Videos
      </Title>
      {error && !jobs && (
        <Alert color="red" role="alert">
          {error.message}
        </Alert>
      )}
      {jobs === undefined && !error && <Skeleton h={108} radius="md" />}
      {jobs?.length === 0 && <NoJobs />}
      <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
        {jobs?.map((job) => (
          <li key={job.id}>
            <JobCard job={job} poster={posters.get(job.id)} />
          </li>
        ))}
      </Stack>
      {hasMore && (
        <Button variant="default" onClick={loadMore}>
          Show more
        </Button>
      )}
    </Stack>
  )
}

function JobCard({ job, poster }: { job: Job; poster: string | undefined }) {
  return (
    <Link href={`/jobs/${job.id}`} className="job-link">
      <Card withBorder p="sm">
        <Group wrap="nowrap" gap="md">
          {poster ? (
            <Image className="thumb" src={poster} alt="" />
          ) : (
            <div className="thumb" aria-hidden>
              <Film size={22} color="var(--mantine-color-dimmed)" />
            </div>
          )}
          <Stack gap={4} flex={1} miw={0}>
            <Group justify="space-between" wrap="nowrap">
              <Text fw={600} truncate>
                {videoName(job)}
              </Text>
              <StatusBadge job={job} />
            </Group>
            <Detail job={job} />
          </Stack>
        </Group>
      </Card>
    </Link>
  )
}

function Detail({ job }: { job: Job }) {
  if (job.status === 'processing') {
    return (
      <>
        <Text size="sm" c="dimmed" truncate>
          {[stageText(job), etaText(job)].filter(Boolean).join(', ')}
        </Text>
        <Progress value={job.progress} size="sm" aria-label={`Progress of ${videoName(job)}`} />
      </>
    )
  }
  return (
    <Text size="sm" c="dimmed" lineClamp={2}>
      {job.status === 'failed' ? job.error_message : null}
      {job.status === 'queued' ? stageText(job) : null}
      {job.status === 'failed' || job.status === 'queued' ? ' · ' : null}
      {ago(job.created_at)}
    </Text>
  )
}

function NoJobs() {
  return (
    <Center mih={240}>
      <Text c="dimmed">
        Nothing here yet.{' '}
        <Anchor component={Link} href="/" underline="always">
          Open a video
        </Anchor>{' '}
        to begin.
      </Text>
    </Center>
  )
}

/** Addresses of the posters; asked for again only when a job got one. */
function usePosters(jobs: Job[] | undefined): Map<string, string> {
  const [urls, setUrls] = useState(new Map<string, string>())
  const wanted = jobs?.filter((job) => job.poster_path && !urls.has(job.id)) ?? []
  const key = wanted.map((job) => job.id).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the jobs
  useEffect(() => {
    if (!key) return
    let current = true
    videoService.posterUrls(wanted).then(
      (found) => current && setUrls((known) => new Map([...known, ...found])),
      // A card without its picture is still a card.
      console.warn,
    )
    return () => {
      current = false
    }
  }, [key])
  return urls
}
