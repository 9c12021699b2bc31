-- What a user (and the secret key) may do to a job: cancel it, retry it, read its history. Functions
-- in public run as the caller; the rights they need are in video_worker, out of the Data API's reach.

set lock_timeout = '5s';
set statement_timeout = '60s';

create function video_worker.own_job(p_job uuid) returns public.video_jobs
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  select * into v_job from public.video_jobs j
  where j.id = p_job and j.parent_id is null and (j.user_id = auth.uid() or auth.role() = 'service_role')
  for no key update;
  if v_job.id is null then
    raise exception using errcode = 'PT404', message = 'job_not_found',
      detail = 'There is no such job, or it is not yours.';
  end if;
  return v_job;
end
$$;
comment on function video_worker.own_job is 'Locks and returns a job of the caller; raises PT404 otherwise.';

-- The row as it is then; PT404 if it is not the caller's.
create function video_worker.cancel_own_job(p_job uuid) returns public.video_jobs
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.own_job(p_job);
begin
  return video_worker.request_cancel(v_job);
end
$$;

-- A waiting job ends at once, and so does one in segments, whose workers then hear that they have lost
-- theirs; one in work is stopped by its worker. Workers hear of it by NOTIFY or at the next heartbeat.
-- A finished job stays as it is. Precondition: the job is locked.
create function video_worker.request_cancel(p_job public.video_jobs) returns public.video_jobs
language plpgsql set search_path = '' as $$
begin
  if p_job.status = 'queued' then
    update public.video_jobs j set status = 'cancelled', held = false, cancel_requested_at = now(), finished_at = now()
    where j.id = p_job.id returning * into p_job;
  elsif exists (select from video_worker.splits s where s.job_id = p_job.id) then
    update public.video_jobs j
    set status = 'cancelled', eta_seconds = null, cancel_requested_at = now(), finished_at = now()
    where j.id = p_job.id returning * into p_job;
    perform video_worker.end_split(p_job.id);
  elsif p_job.status = 'processing' then
    update public.video_jobs j set cancel_requested_at = coalesce(j.cancel_requested_at, now())
    where j.id = p_job.id returning * into p_job;
  end if;
  return p_job;
end
$$;

-- The row as it is then; PT404 if it is not the caller's, PT409 if it has not failed, PT429 over a limit.
create function video_worker.retry_own_job(p_job uuid) returns public.video_jobs
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.own_job(p_job);
begin
  if v_job.status not in ('failed', 'cancelled') then
    raise exception using errcode = 'PT409', message = 'job_not_retryable',
      detail = format('The job is %s; only a failed or cancelled job can be retried.', v_job.status);
  end if;
  perform video_worker.enforce_quota(v_job.user_id);
  return video_worker.queue_again(v_job);
end
$$;

-- Queues a job as if it were new: all attempts, a new place; its history stays. Precondition: the job is
-- locked, and nobody holds a lease on it.
create function video_worker.queue_again(p_job public.video_jobs) returns public.video_jobs
language plpgsql set search_path = '' as $$
begin
  perform video_worker.queue_up(p_job.user_id);
  update public.video_jobs j
  set status = 'queued', stage = null, progress = 0, eta_seconds = null, attempt = 0, run_at = now(),
      place = null, held = true, whole = false,
      error_code = null, error_message = null, cancel_requested_at = null, started_at = null, finished_at = null
  where j.id = p_job.id;
  if video_worker.has_room(p_job.user_id) then
    perform video_worker.place_next(p_job.user_id);
  end if;
  select * into p_job from public.video_jobs j where j.id = p_job.id;
  return p_job;
end
$$;

-- Zero rows: there is no such job, or it is not the caller's.
create function video_worker.own_job_history(p_job uuid)
returns table (at timestamptz, status public.video_job_status, stage public.video_job_stage, attempt smallint,
               error_code text, error_message text)
language sql stable security definer set search_path = '' as $$
  select e.at, e.status, e.stage, e.attempt, e.error_code, e.error_message
  from video_worker.job_events e join public.video_jobs j on j.id = e.job_id
  where e.job_id = p_job and (j.user_id = (select auth.uid()) or (select auth.role()) = 'service_role')
  order by e.id
$$;

-- Counts other users' rows, and tells nothing of them but their number. Past a thousand it is "many".
-- A held job comes after all that have a place now, and after the earlier held ones of its user. Null, or
-- no row: the job does not wait, or is not the caller's.
create function video_worker.own_jobs_ahead(p_job uuid) returns integer
language sql stable security definer set search_path = '' as $$
  select (
    select count(*)::integer
    from (
      select from public.video_jobs o
      where o.status = 'queued' and o.place is not null
        and (o.priority > j.priority
             or o.priority = j.priority and (j.held or (o.place, o.created_at) < (j.place, j.created_at)))
      union all
      select from public.video_jobs o
      where j.held and o.held and o.status = 'queued' and o.place is null and o.user_id = j.user_id
        and (o.priority > j.priority or o.priority = j.priority and o.created_at < j.created_at)
      limit 1000) ahead)
  from public.video_jobs j
  where j.id = p_job and j.status = 'queued' and (j.place is not null or j.held)
    and (j.user_id = (select auth.uid()) or (select auth.role()) = 'service_role')
$$;
comment on function video_worker.own_jobs_ahead is 'How many waiting jobs come before this one of the caller; at most 1000.';

create function public.cancel_video_job(job_id uuid) returns public.video_jobs
language sql set search_path = '' as $$ select video_worker.cancel_own_job(job_id) $$;
comment on function public.cancel_video_job is
  'Cancels a job of yours and returns it. A running one is stopped within seconds; a finished one stays as it is.';

create function public.retry_video_job(job_id uuid) returns public.video_jobs
language sql set search_path = '' as $$ select video_worker.retry_own_job(job_id) $$;
comment on function public.retry_video_job is 'Queues a failed or cancelled job of yours again and returns it.';

create function public.video_job_history(job_id uuid)
returns table (at timestamptz, status public.video_job_status, stage public.video_job_stage, attempt smallint,
               error_code text, error_message text)
language sql stable set search_path = '' as $$ select * from video_worker.own_job_history(job_id) $$;
comment on function public.video_job_history is 'What happened to a job of yours, oldest first.';

create function public.video_jobs_ahead(job_id uuid) returns integer
language sql stable set search_path = '' as $$ select video_worker.own_jobs_ahead(job_id) $$;
comment on function public.video_jobs_ahead is
  'How many waiting jobs, of all users, come before a job of yours; at most 1000; null when it does not wait.';

revoke all on function
  video_worker.own_job(uuid), video_worker.cancel_own_job(uuid), video_worker.retry_own_job(uuid),
  video_worker.own_job_history(uuid), video_worker.own_jobs_ahead(uuid), video_worker.request_cancel(public.video_jobs),
  video_worker.queue_again(public.video_jobs),
  public.cancel_video_job(uuid), public.retry_video_job(uuid), public.video_job_history(uuid),
  public.video_jobs_ahead(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  video_worker.cancel_own_job(uuid), video_worker.retry_own_job(uuid), video_worker.own_job_history(uuid),
  video_worker.own_jobs_ahead(uuid),
  public.cancel_video_job(uuid), public.retry_video_job(uuid), public.video_job_history(uuid),
  public.video_jobs_ahead(uuid)
to authenticated, service_role;
