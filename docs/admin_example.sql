-- The state of the queue that docs/admin.md shows: two users, three workers, a dozen jobs. It comes
-- about through the queue's own functions; only then is time laid out.

insert into auth.users (id, email) values
  ('a0000000-0000-4000-8000-000000000001', 'ada@example.com'),
  ('b0000000-0000-4000-8000-000000000002', 'bob@example.com');

create function pg_temp.job(n integer) returns uuid language sql as
$$ select ('20000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
create function pg_temp.token(n integer) returns uuid language sql as
$$ select ('30000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
create function pg_temp.worker(n integer) returns uuid language sql as
$$ select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;

create procedure pg_temp.send(n integer, email text, priority integer default 0) language sql as $$
  insert into public.video_jobs (id, user_id, priority, input_path, subtitle_path)
  select pg_temp.job(n), id, priority, id || '/' || n || '.mp4', id || '/' || n || '.srt'
  from auth.users u where u.email = send.email
$$;
create procedure pg_temp.claim(n integer, worker integer) language sql as $$
  select video_worker.claim_jobs(pg_temp.worker(worker), array[pg_temp.token(n)], interval '60 seconds')
$$;
create procedure pg_temp.beat(n integer, stage text, progress integer, eta integer) language sql as $$
  select video_worker.heartbeat(pg_temp.job(n), pg_temp.token(n), stage::public.video_job_stage, progress::smallint, eta)
$$;
create procedure pg_temp.complete(n integer, seconds numeric) language sql as $$
  select video_worker.complete_jobs(
    array[j.id], array[pg_temp.token(n)], array[prefix || '/video.mp4'], array[prefix || '/poster.jpg'],
    array[jsonb_build_object('duration_seconds', seconds, 'warnings', '[]'::jsonb)])
  from public.video_jobs j, video_worker.output_prefix(j, pg_temp.token(n)) prefix
  where j.id = pg_temp.job(n)
$$;

select video_worker.check_in(pg_temp.worker(n), 'render-' || n, '1.0.0', 2::smallint, n <> 3, interval '6 seconds')
from generate_series(1, 3) n \g /dev/null

do $$
declare
  n integer;
begin
  for n in 1..4 loop -- completed
    call pg_temp.send(n, case when n = 4 then 'bob@example.com' else 'ada@example.com' end);
    call pg_temp.claim(n, 1 + n % 2);
    call pg_temp.beat(n, 'render', 11, 90);
    call pg_temp.beat(n, 'upload', 90, 5);
    call pg_temp.complete(n, 60 * n);
  end loop;

  call pg_temp.send(5, 'bob@example.com'); -- failed: not a video
  call pg_temp.claim(5, 1);
  call pg_temp.beat(5, 'probe', 10, null);
  perform video_worker.fail_job(pg_temp.job(5), pg_temp.token(5), 'invalid_video',
    'The file is damaged, or not a video in a format we can read. Export it as MP4 and upload it again.');

  call pg_temp.send(6, 'ada@example.com'); -- failed for good: the disk was full at its last attempt
  update public.video_jobs set max_attempts = 1 where id = pg_temp.job(6);
  call pg_temp.claim(6, 2);
  perform video_worker.fail_job(pg_temp.job(6), pg_temp.token(6), 'disk_full',
    'The server ran out of space. Try again later.', interval '10 seconds');

  call pg_temp.send(7, 'ada@example.com'); -- waits for its second attempt
  call pg_temp.claim(7, 1);
  perform video_worker.fail_job(pg_temp.job(7), pg_temp.token(7), 'storage_unavailable',
    'The file store could not be reached. Try again later.', interval '10 minutes');

  call pg_temp.send(8, 'ada@example.com'); -- in work
  call pg_temp.claim(8, 1);
  call pg_temp.beat(8, 'render', 42, 71);
  call pg_temp.send(9, 'bob@example.com'); -- in work, and its worker is silent
  call pg_temp.claim(9, 3);
  call pg_temp.beat(9, 'download', 5, null);

  for n in 10..12 loop -- waiting
    call pg_temp.send(n, 'ada@example.com', case when n = 12 then 5 else 0 end);
  end loop;
end
$$;

-- Time: the jobs came one a minute, stages took seconds, worker 3 was last heard of 45 s ago.
update public.video_jobs j
set created_at = now() - interval '20 minutes' + n * interval '1 minute',
    run_at = case when n = 7 then now() + interval '9 minutes' else now() - interval '20 minutes' + n * interval '1 minute' end,
    started_at = j.started_at - interval '19 minutes' + n * interval '1 minute',
    -- All within one hour, at whatever minute this runs.
    finished_at = case when j.finished_at is not null then date_trunc('hour', now()) - interval '30 minutes' + n * interval '1 minute' end
from generate_series(1, 12) n where j.id = pg_temp.job(n);
update video_worker.job_events set at = now() - interval '15 minutes' + (3 * id + id * id / 9.0) * interval '1 second';
update video_worker.workers set seen_at = now() - case when name = 'render-3' then interval '45 seconds' else interval '2 seconds' end,
  started_at = now() - interval '3 hours';
update video_worker.leases set expires_at = now() + case when worker_id = pg_temp.worker(3) then interval '15 seconds' else interval '58 seconds' end;
