-- For people with SQL: what is going on, and the few things to do about it. Not for the Data API.

set lock_timeout = '5s';
set statement_timeout = '60s';

create schema video_admin;
comment on schema video_admin is 'Video jobs for administrators: views to look, functions to act.';
revoke all on schema video_admin from public, anon, authenticated, service_role;

create function video_admin.ago(since timestamptz) returns interval
language sql stable set search_path = '' as $$ select date_trunc('second', now() - since) $$;
comment on function video_admin.ago is 'Time since then, in whole seconds.';

create view video_admin.queue with (security_invoker = true) as
select status, priority,
       count(*) filter (where parent_id is null) as jobs,
       count(*) filter (where parent_id is not null) as segments,
       count(*) filter (where status = 'queued' and place is null and not held) as scheduled,
       count(*) filter (where held) as held,
       count(distinct user_id) as users,
       video_admin.ago(min(greatest(created_at, run_at)) filter (where status = 'processing' or place is not null)) as oldest
from public.video_jobs
where status in ('queued', 'processing')
group by status, priority
order by status, priority desc;
comment on view video_admin.queue is
  'Depth of the queue by status and priority: jobs, and segments of long ones; of both, scheduled ones wait for their time, held ones for another job of their user; oldest: since when the oldest could have run.';

create view video_admin.throughput with (security_invoker = true) as
select date_trunc('hour', finished_at) as hour,
       count(*) filter (where status = 'completed') as completed,
       count(*) filter (where status = 'failed') as failed,
       count(*) filter (where status = 'cancelled') as cancelled,
       round(sum((output_info ->> 'duration_seconds')::numeric) / 60, 1) as video_minutes
from public.video_jobs
where finished_at > now() - interval '7 days' and parent_id is null
group by 1
order by 1 desc;
comment on view video_admin.throughput is 'Finished jobs and minutes of video per hour, for the last 7 days.';

create view video_admin.stage_times with (security_invoker = true) as
select stage, count(*) as runs,
       percentile_cont(0.5) within group (order by seconds)::numeric(12, 2) as p50_seconds,
       percentile_cont(0.95) within group (order by seconds)::numeric(12, 2) as p95_seconds
from (
  select status, stage,
         extract(epoch from lead(at) over (partition by job_id order by id) - at)::double precision as seconds
  from video_worker.job_events
  where at > now() - interval '1 day' and not exists (
    select from public.video_jobs j where j.id = job_id and j.parent_id is not null)
) s
where status = 'processing' and seconds is not null
group by stage
order by stage;
comment on view video_admin.stage_times is 'Time spent per stage over the last day: median and 95th percentile.';

create view video_admin.failures with (security_invoker = true) as
select error_code, status, count(*) as events, count(distinct job_id) as jobs,
       video_admin.ago(max(at)) as last, (array_agg(error_message order by id desc))[1] as last_message
from video_worker.job_events
where error_code is not null and at > now() - interval '7 days'
group by error_code, status
order by events desc, error_code;
comment on view video_admin.failures is 'Errors of the last 7 days by code; status queued = it was tried again.';

create view video_admin.failed_jobs with (security_invoker = true) as
select id as job_id, user_id, error_code, stage, attempt, video_admin.ago(finished_at) as finished, error_message
from public.video_jobs
where status = 'failed'
order by finished_at desc;
comment on view video_admin.failed_jobs is 'Jobs that failed for good, newest first.';

create view video_admin.leases with (security_invoker = true) as
select coalesce(j.parent_id, l.job_id) as job_id, j.segment, j.user_id, j.stage, j.progress, j.eta_seconds, j.attempt, w.name as worker,
       video_admin.ago(j.started_at) as running_for,
       date_trunc('second', l.expires_at - now()) as time_left,
       l.expires_at < now() + l.duration / 2 as near_expiry
from video_worker.leases l
join public.video_jobs j on j.id = l.job_id
left join video_worker.workers w on w.id = l.worker_id
order by l.expires_at;
comment on view video_admin.leases is
  'Jobs in work and who works on them, those first whose lease runs out first; near_expiry: heartbeats are missing.';

create view video_admin.workers with (security_invoker = true) as
select w.id, w.name, w.version, w.slots,
       (select count(*) from video_worker.leases l where l.worker_id = w.id) as running,
       w.holds_lock as notified, w.drain_requested_at is not null as draining,
       video_admin.ago(w.seen_at) as silent_for, video_admin.ago(w.started_at) as up
from video_worker.workers w
order by w.name, w.started_at;
comment on view video_admin.workers is
  'Worker processes: slots, running jobs, whether notifications reach them, time since they were last heard of.';

create view video_admin.usage_by_user with (security_invoker = true) as
select j.user_id, u.email,
       count(*) filter (where j.status = 'queued') as queued,
       count(*) filter (where j.status = 'processing') as processing,
       count(*) filter (where j.status = 'completed') as completed,
       count(*) filter (where j.status = 'failed') as failed,
       round(sum((j.output_info ->> 'duration_seconds')::numeric) / 60, 1) as video_minutes,
       video_admin.ago(max(j.created_at)) as last_job
from public.video_jobs j
left join auth.users u on u.id = j.user_id
where j.parent_id is null
group by j.user_id, u.email
order by video_minutes desc nulls last;
comment on view video_admin.usage_by_user is 'Jobs by status and minutes of video per user.';

create view video_admin.history with (security_invoker = true) as
select e.job_id, e.at, e.status, e.stage, e.attempt, w.name as worker, e.error_code, e.error_message
from video_worker.job_events e
left join video_worker.workers w on w.id = e.worker_id
order by e.id;
comment on view video_admin.history is 'Every change of status and stage, oldest first; filter by job_id.';

create function video_admin.cancel(job_id uuid) returns public.video_jobs
language plpgsql set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  select * into v_job from public.video_jobs j where j.id = cancel.job_id and j.parent_id is null for no key update;
  return video_worker.request_cancel(v_job);
end
$$;
comment on function video_admin.cancel is 'Cancels a job of any user; null when there is no such job.';

create function video_admin.requeue(job_id uuid) returns public.video_jobs
language plpgsql set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  select * into v_job from public.video_jobs j where j.id = requeue.job_id and j.parent_id is null for no key update;
  if v_job.status = 'completed' then
    raise exception 'job % is completed; a new row makes a new video', requeue.job_id;
  end if;
  if v_job.status = 'processing' then
    perform video_worker.drop_lease(v_job);
    perform video_worker.end_split(v_job.id);
  end if;
  return video_worker.queue_again(v_job);
end
$$;
comment on function video_admin.requeue is
  'Queues a job anew with all its attempts; one in work is taken from its worker, which stops at its next heartbeat.';

create function video_admin.drain_worker(worker_id uuid) returns boolean
language sql set search_path = '' as $$
  with drained as (
    update video_worker.workers w set drain_requested_at = coalesce(w.drain_requested_at, now())
    where w.id = worker_id returning 1
  )
  select exists (select from drained)
$$;
comment on function video_admin.drain_worker is
  'Lets a worker finish what it runs, claim nothing more, and end; false when there is no such worker.';

revoke all on all functions in schema video_admin from public, anon, authenticated, service_role;

-- Depth and age of the queue for the metrics of all workers: counted at most every ten seconds by
-- one of them, read by the rest, so that hundreds of workers cost no more than one.
create table video_worker.queue_figures (
  id boolean primary key default true check (id),
  counted_at timestamptz not null default '-infinity',
  queued bigint not null default 0,
  scheduled bigint not null default 0,
  held bigint not null default 0,
  processing bigint not null default 0,
  oldest_ready_at timestamptz
);
comment on table video_worker.queue_figures is 'Depth and age of the queue, at most ten seconds old while metrics are read: one row.';
insert into video_worker.queue_figures default values;
alter table video_worker.queue_figures enable row level security;

create function video_worker.read_queue_figures()
returns table (queued bigint, scheduled bigint, held bigint, processing bigint, oldest_seconds double precision, workers bigint)
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from video_worker.queue_figures f where f.counted_at < now() - interval '10 seconds')
    and pg_try_advisory_xact_lock(hashtextextended('video_worker queue_figures', 0))
  then
    update video_worker.queue_figures f
    set counted_at = now(), queued = c.queued, scheduled = c.scheduled, held = c.held, processing = c.processing,
        oldest_ready_at = c.oldest_ready_at
    from (
      select count(*) filter (where j.status = 'queued' and j.place is not null) as queued,
             count(*) filter (where j.status = 'queued' and j.place is null and not j.held) as scheduled,
             count(*) filter (where j.held) as held,
             count(*) filter (where j.status = 'processing' and j.place is not null) as processing,
             min(greatest(j.created_at, j.run_at)) filter (where j.status = 'queued' and j.place is not null) as oldest_ready_at
      from public.video_jobs j where j.status in ('queued', 'processing')
    ) c;
  end if;
  return query
    select f.queued, f.scheduled, f.held, f.processing,
           coalesce(extract(epoch from now() - f.oldest_ready_at), 0)::double precision,
           (select count(*) from video_worker.workers w where w.seen_at > now() - interval '1 minute')
    from video_worker.queue_figures f;
end
$$;
comment on function video_worker.read_queue_figures is 'Waiting, scheduled, held and running jobs, seconds since the oldest waiting one could have run, and workers alive: always one row.';

revoke all on function video_worker.read_queue_figures() from public, anon, authenticated, service_role;
grant execute on function video_worker.read_queue_figures() to video_worker;
