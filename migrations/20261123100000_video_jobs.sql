-- One row of public.video_jobs is one job: its state, its progress, its access rule.
--
--   queued ──claim──▶ processing ──▶ completed
--     ▲                   │  ├─────▶ failed
--     │                   │  └─────▶ cancelled
--     └─ retry, release, rescue
--
-- A long video may be encoded in segments: rows of the same table, with a parent_id, that no user
-- sees. What then becomes of the parent is in …_segments.sql.
--
-- Users see their own rows and insert named columns; nothing else. Everything that is not the
-- user's business (leases, workers, history, limits) lives in schema video_worker, which the
-- Data API does not expose.

set lock_timeout = '5s';
set statement_timeout = '60s';

create schema video_worker;
comment on schema video_worker is 'Queue of the video worker: leases, history, one function per transition. Not for the Data API.';

-- The worker logs in as this role. It may execute the queue's functions and touches no table.
-- No password is set here: `alter role video_worker password '…'` is a step of the set-up.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'video_worker') then
    create role video_worker login nosuperuser nocreatedb nocreaterole noinherit;
  end if;
end
$$;
alter role video_worker set statement_timeout = '15s';
alter role video_worker set lock_timeout = '5s';
alter role video_worker set idle_in_transaction_session_timeout = '15s';

revoke all on schema video_worker from public, anon, authenticated, service_role;
grant usage on schema video_worker to video_worker, authenticated, service_role;

create type public.video_job_status as enum ('queued', 'processing', 'completed', 'failed', 'cancelled');
create type public.video_job_stage as enum ('download', 'probe', 'subtitles', 'render', 'upload');

-- First folder = owner; no empty, '.' or '..' segment, nothing that is not a plain object name. A
-- function, because Postgres reads every CHECK anew in every statement that writes to the table, at
-- about 4 µs per line of condition; see "What a CHECK costs" in docs/decisions.md.
create function video_worker.is_own_path(p_user uuid, p_path text) returns boolean
language plpgsql immutable strict set search_path = '' as $$
begin
  return starts_with(p_path, p_user::text || '/') and p_path !~ '(^|/)\.{0,2}(/|$)|[\\[:cntrl:]]' and length(p_path) <= 1024;
end
$$;
comment on function video_worker.is_own_path is 'Whether a path names an object in the folder of this user.';

create table public.video_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  status public.video_job_status not null default 'queued',
  stage public.video_job_stage,
  progress smallint not null default 0,
  eta_seconds integer,
  priority smallint not null default 0,
  place bigint,
  held boolean not null default false,
  parent_id uuid references public.video_jobs (id) on delete cascade,
  segment smallint,
  whole boolean not null default false,
  input_path text not null,
  subtitle_path text not null,
  options jsonb not null default '{}',
  output_path text,
  poster_path text,
  output_info jsonb,
  error_code text,
  error_message text,
  attempt smallint not null default 0,
  max_attempts smallint not null default 3,
  run_at timestamptz not null default now(),
  idempotency_key text,
  traceparent text,
  cancel_requested_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),

  constraint final_has_finished_at check ((status in ('completed', 'failed', 'cancelled')) = (finished_at is not null)),
  constraint completed_has_output check ((status = 'completed') = (output_path is not null)),
  constraint failed_has_error_code check (status <> 'failed' or (error_code is not null and error_message is not null)),
  constraint completed_has_no_error check (status <> 'completed' or error_code is null),
  constraint processing_has_started check (status <> 'processing' or (started_at is not null and attempt > 0)),
  constraint queued_is_not_cancelled check (status <> 'queued' or cancel_requested_at is null),
  constraint progress_is_percent check (progress between 0 and 100),
  constraint eta_is_positive check (eta_seconds >= 0),
  constraint attempts_are_bounded check (max_attempts <= 20 and attempt between 0 and max_attempts),
  constraint options_are_a_small_object check (jsonb_typeof(options) = 'object' and octet_length(options::text) <= 65536),
  constraint idempotency_key_is_short check (length(idempotency_key) between 1 and 200),
  -- https://www.w3.org/TR/trace-context/, version 00: ids are lower-case hex and not all zero.
  constraint traceparent_is_w3c check (traceparent ~ '^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$'),
  constraint segment_has_parent check (segment is null or parent_id is not null),
  constraint held_is_queued_without_place check (not held or (status = 'queued' and place is null)),
  constraint input_path_is_own check (video_worker.is_own_path(user_id, input_path)),
  constraint subtitle_path_is_own check (video_worker.is_own_path(user_id, subtitle_path)),
  constraint output_path_is_own check (video_worker.is_own_path(user_id, output_path)),
  constraint poster_path_is_own check (video_worker.is_own_path(user_id, poster_path))
) with (
  -- Progress is written about every 2 s per running job. No such column is indexed, so with room
  -- left on the page these updates are HOT, and vacuum comes early instead of after 20 % of the table.
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 500,
  autovacuum_analyze_scale_factor = 0.05
);

comment on table public.video_jobs is 'One row per video to burn subtitles into: insert a row, follow it through Realtime.';
comment on column public.video_jobs.stage is 'What the worker does now; where a failed job stopped.';
comment on column public.video_jobs.progress is 'Per cent of the whole job, 0 to 100; starts anew with every attempt.';
comment on column public.video_jobs.eta_seconds is 'Estimated seconds until the job is completed; null while unknown.';
comment on column public.video_jobs.priority is 'Higher goes first; fairness holds within one priority.';
comment on column public.video_jobs.place is 'Place in the queue among jobs of one priority, lowest first; null while run_at lies ahead or the job is held.';
comment on column public.video_jobs.held is 'Waits until another job of its user has ended: as many as may run at once are running or next.';
comment on column public.video_jobs.parent_id is 'The job that this row is a part of; no user sees such a row.';
comment on column public.video_jobs.segment is 'Which segment of its parent''s video the row stands for, from 0; null: for joining them.';
comment on column public.video_jobs.whole is 'Not to be encoded in segments: they did not fit together.';
comment on column public.video_jobs.input_path is 'Object in bucket videos: <user id>/<name>.';
comment on column public.video_jobs.subtitle_path is 'Object in bucket subtitles: <user id>/<name>.';
comment on column public.video_jobs.options is 'Style and output options, see docs/options.md.';
comment on column public.video_jobs.output_path is 'Object in bucket renders, set when the job is completed.';
comment on column public.video_jobs.poster_path is 'Object in bucket renders: a still picture of the result.';
comment on column public.video_jobs.output_info is 'Facts of the result: duration, size, frames, cues, warnings.';
comment on column public.video_jobs.error_code is 'Stable code of the last error, see docs/errors.md.';
comment on column public.video_jobs.error_message is 'The last error as a sentence that is safe to show to the user.';
comment on column public.video_jobs.attempt is 'How often a worker has begun this job; counted at the claim, so that a crash counts.';
comment on column public.video_jobs.run_at is 'Not before this time.';
comment on column public.video_jobs.idempotency_key is 'Unique per user: the same key twice is the same job.';
comment on column public.video_jobs.traceparent is 'Trace context (W3C) of the request that made the job: the worker''s spans join that trace.';

-- The claim is one ordered scan of this index. Only jobs that may run are in it: neither those whose
-- time has not come, nor those of users who have as many as they may run.
create index video_jobs_ready on public.video_jobs (priority desc, place, created_at)
  where status = 'queued' and place is not null;
create index video_jobs_scheduled on public.video_jobs (run_at)
  where status = 'queued' and place is null and not held;
create index video_jobs_processing on public.video_jobs (priority, place)
  where status = 'processing';
-- What each user has open, in two disjoint parts: with and without a place.
create index video_jobs_placed on public.video_jobs (user_id, priority, place)
  where status in ('queued', 'processing') and place is not null;
create index video_jobs_unplaced on public.video_jobs (held, user_id, priority desc, created_at)
  where status = 'queued' and place is null;
create index video_jobs_by_user on public.video_jobs (user_id, created_at desc);
create unique index video_jobs_idempotency on public.video_jobs (user_id, idempotency_key)
  where idempotency_key is not null;
create unique index video_jobs_children on public.video_jobs (parent_id, segment) nulls not distinct
  where parent_id is not null;
create index video_jobs_finished on public.video_jobs (finished_at)
  where finished_at is not null;

alter table public.video_jobs enable row level security;

revoke all on public.video_jobs from public, anon, authenticated, service_role;
grant select on public.video_jobs to authenticated;
grant insert (user_id, input_path, subtitle_path, options, idempotency_key, traceparent) on public.video_jobs to authenticated;
grant select, delete on public.video_jobs to service_role;
grant insert (user_id, input_path, subtitle_path, options, idempotency_key, traceparent, priority, run_at, max_attempts)
  on public.video_jobs to service_role;

create policy "users read their own jobs" on public.video_jobs
  for select to authenticated using (user_id = (select auth.uid()) and parent_id is null);
create policy "users queue their own jobs" on public.video_jobs
  for insert to authenticated with check (user_id = (select auth.uid()));

-- Limits. One row; change it with a plain update. Null means no limit.
create table video_worker.config (
  id boolean primary key default true check (id),
  max_open_jobs_per_user integer default 100 check (max_open_jobs_per_user > 0),
  max_jobs_per_hour_per_user integer default 200 check (max_jobs_per_hour_per_user > 0),
  max_running_jobs_per_user integer default 5 check (max_running_jobs_per_user > 0),
  keep_unsuccessful interval default '30 days',
  keep_completed interval
);
comment on table video_worker.config is 'Limits of the queue: one row, changed by update; null = no limit.';
comment on column video_worker.config.max_open_jobs_per_user is 'Jobs of one user that may be queued or processing; more are refused at insert (PT429).';
comment on column video_worker.config.max_jobs_per_hour_per_user is 'Jobs that one user may insert within an hour; more are refused at insert (PT429).';
comment on column video_worker.config.max_running_jobs_per_user is 'Jobs of one user that workers process at the same time; more wait.';
comment on column video_worker.config.keep_unsuccessful is 'Failed and cancelled rows are deleted after this time; null = never.';
comment on column video_worker.config.keep_completed is 'Completed rows and their videos are deleted after this time; null = never.';
insert into video_worker.config default values;
alter table video_worker.config enable row level security;

-- Also for who writes to the row by hand.
create function video_worker.set_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger video_jobs_set_updated_at before update on public.video_jobs
  for each row execute function video_worker.set_updated_at();
