-- Who works on what: workers, leases, history, orphans, and the wake-up call.

set lock_timeout = '5s';
set statement_timeout = '60s';

create table video_worker.workers (
  id uuid primary key,
  name text not null,
  version text not null,
  slots smallint not null,
  holds_lock boolean not null default false,
  drain_requested_at timestamptz,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  present_since timestamptz not null default now()
) with (fillfactor = 50);
comment on table video_worker.workers is 'One row per running worker process.';
comment on column video_worker.workers.holds_lock is
  'The worker''s listening session holds advisory lock hashtextextended(id, 0): when that lock is free, the session is gone.';
comment on column video_worker.workers.present_since is
  'Since when the worker has been in touch with the database without a gap; it judges nobody by what was before.';

-- Not columns of video_jobs, so that a heartbeat which changes nothing visible sends nothing
-- through Realtime and rewrites no wide row.
create table video_worker.leases (
  job_id uuid primary key references public.video_jobs (id) on delete cascade,
  token uuid not null unique,
  worker_id uuid not null,
  duration interval not null check (duration > interval '0'),
  expires_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
comment on table video_worker.leases is 'One row per job in work. Every write after the claim must name its token.';

create table video_worker.job_events (
  id bigint generated always as identity,
  job_id uuid not null references public.video_jobs (id) on delete cascade,
  at timestamptz not null default clock_timestamp(),
  status public.video_job_status not null,
  stage public.video_job_stage,
  attempt smallint not null,
  worker_id uuid,
  error_code text,
  error_message text,
  primary key (job_id, id)
);
comment on table video_worker.job_events is 'History: one row per change of a job''s status or stage.';
create index job_events_by_time on video_worker.job_events using brin (at);

-- Every attempt that ends without completing may have left objects under its own prefix. The
-- prefix holds the claim's token, which can never complete again, so what lies there is garbage.
create table video_worker.orphans (
  prefix text primary key,
  due_at timestamptz not null
);
comment on table video_worker.orphans is 'Folders in bucket renders that no row refers to; workers delete them when due.';

alter table video_worker.workers enable row level security;
alter table video_worker.leases enable row level security;
alter table video_worker.job_events enable row level security;
alter table video_worker.orphans enable row level security;

-- Who works on it is read from the lease, so a claim writes the lease before the row.
create function video_worker.record_event() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into video_worker.job_events (job_id, status, stage, attempt, worker_id, error_code, error_message)
  values (new.id, new.status, new.stage, new.attempt,
          (select worker_id from video_worker.leases where job_id = new.id),
          new.error_code, new.error_message);
  return null;
end
$$;

create trigger video_jobs_record_insert after insert on public.video_jobs
  for each row execute function video_worker.record_event();
create trigger video_jobs_record_change after update of status, stage on public.video_jobs
  for each row when (old.status is distinct from new.status or old.stage is distinct from new.stage)
  execute function video_worker.record_event();

-- A job that is deleted in the middle of its work may still be uploading: until two lease times later.
-- What belongs to a part of a job lies in that job's folder, each claim's in one of its own.
create function video_worker.note_deleted_output() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.parent_id is null then
    insert into video_worker.orphans (prefix, due_at)
    values (
      format('%s/%s', old.user_id, old.id),
      now() + coalesce((
        select max(2 * l.duration) from video_worker.leases l
        where l.job_id = old.id
          or l.job_id in (select c.id from public.video_jobs c where c.parent_id = old.id)), '0'))
    on conflict do nothing;
  else
    insert into video_worker.orphans (prefix, due_at)
    select video_worker.output_prefix(old, l.token), now() + 2 * l.duration
    from video_worker.leases l where l.job_id = old.id
    union all
    select substring(old.output_path from '^(.*)/'), now() where old.output_path is not null
    on conflict do nothing;
  end if;
  return old;
end
$$;

create trigger video_jobs_note_deleted_output before delete on public.video_jobs
  for each row execute function video_worker.note_deleted_output();

-- A hint, never the truth: workers poll as well. Constant payload, so that Postgres folds the
-- notifications of one transaction into one, and none for progress: commits with NOTIFY are serialised.
create function video_worker.wake_workers() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_notify('video_worker', tg_argv[0]);
  return null;
end
$$;

create trigger video_jobs_wake_on_insert after insert on public.video_jobs
  for each statement execute function video_worker.wake_workers('jobs');
create trigger video_jobs_wake_on_requeue after update of status on public.video_jobs
  for each row when (new.status = 'queued' and old.status <> 'queued')
  execute function video_worker.wake_workers('jobs');
create trigger video_jobs_wake_on_cancel after update of cancel_requested_at on public.video_jobs
  for each row when (new.cancel_requested_at is not null and old.cancel_requested_at is null)
  execute function video_worker.wake_workers('cancel');
