-- One function per transition. The rules that all of them keep:
--   * Fence: a transition names the claim's token. If the lease with that token is gone, the caller
--     has lost the job: nothing is changed, and the answer is 'lost'.
--   * A job's row lock guards its lease: lock the job first, then look at the lease in a new
--     statement (a new snapshot). In one statement a join would re-check the job after waiting
--     for its lock, but compare the lease as it was before.
--   * Time is the database's time. No worker's clock takes part.

set lock_timeout = '5s';
set statement_timeout = '60s';

create function video_worker.output_prefix(p_job public.video_jobs, p_token uuid) returns text
language sql immutable set search_path = '' as $$
  select format('%s/%s/%s-%s', p_job.user_id, p_job.id, p_job.attempt, p_token)
$$;
comment on function video_worker.output_prefix is 'Folder in bucket renders that belongs to one claim of one job.';

-- Claims at most as many jobs as tokens are given, in fair order. The caller makes the tokens, so a
-- call that is repeated after a lost reply returns the jobs that the first one claimed.
-- Zero rows: nothing is claimable now. Fewer rows than tokens: call again until zero, since a
-- user's limit of running jobs may have cut this batch.
create function video_worker.claim_jobs(p_worker uuid, p_tokens uuid[], p_lease interval)
returns table (
  job_id uuid, token uuid, user_id uuid, attempt smallint, max_attempts smallint,
  input_path text, subtitle_path text, options jsonb, traceparent text, output_prefix text, waited interval
)
language plpgsql security definer set search_path = '' as $$
declare
  v_limit integer := (select c.max_running_jobs_per_user from video_worker.config c);
  v_full uuid[] := '{}';
  v_jobs uuid[];
begin
  if not exists (select from video_worker.leases l where l.token = any (p_tokens)) then
    perform video_worker.promote_due_jobs();

    if v_limit is not null then
      v_full := array(
        select j.user_id from public.video_jobs j
        where j.status = 'processing' group by j.user_id having count(*) >= v_limit);
    end if;

    with ready as materialized (
      select j.id, j.user_id from public.video_jobs j
      where j.status = 'queued' and j.place is not null and j.user_id <> all (v_full)
      order by j.priority desc, j.place, j.created_at
      limit cardinality(p_tokens)
      for update skip locked
    )
    select array_agg(ready.id) into v_jobs from ready;

    -- Two claims at once could each see room for one more job of a user. The lock makes the second
    -- wait for the first one's commit, and its count below, a new statement, sees it.
    if v_limit is not null then
      perform pg_advisory_xact_lock(hashtextextended('video_jobs claim ' || u.user_id, 0))
      from (select distinct j.user_id from public.video_jobs j where j.id = any (v_jobs) order by 1) u;
    end if;

    with chosen as (
      select c.id, row_number() over (order by c.priority desc, c.place, c.created_at) as n
      from (
        select j.id, j.priority, j.place, j.created_at,
               row_number() over (partition by j.user_id order by j.priority desc, j.place, j.created_at)
               + (select count(*) from public.video_jobs r where r.user_id = j.user_id and r.status = 'processing') as nth
        from public.video_jobs j where j.id = any (v_jobs)
      ) c
      where v_limit is null or c.nth <= v_limit
    ), leased as (
      insert into video_worker.leases as l (job_id, token, worker_id, duration, expires_at)
      select chosen.id, p_tokens[chosen.n], p_worker, p_lease, now() + p_lease from chosen
      returning l.job_id
    )
    update public.video_jobs j
    set status = 'processing', stage = 'download', attempt = j.attempt + 1, started_at = now(),
        progress = 0, eta_seconds = null, error_code = null, error_message = null
    from leased where j.id = leased.job_id;
  end if;

  return query
    select j.id, l.token, j.user_id, j.attempt, j.max_attempts, j.input_path, j.subtitle_path, j.options,
           j.traceparent, video_worker.output_prefix(j, l.token), j.started_at - greatest(j.created_at, j.run_at)
    from video_worker.leases l join public.video_jobs j on j.id = l.job_id
    where l.token = any (p_tokens)
    order by j.priority desc, j.place, j.created_at;
end
$$;

-- Renews the lease; writes stage, progress and ETA only where they differ from the row.
-- 'ok', 'cancel' (the user wants it stopped), or 'lost' (the lease is another's or gone).
create function video_worker.heartbeat(
  p_job uuid, p_token uuid,
  p_stage public.video_job_stage, p_progress smallint, p_eta_seconds integer
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_changed boolean;
  v_cancel boolean;
begin
  select (j.stage, j.progress, j.eta_seconds) is distinct from (p_stage, p_progress, p_eta_seconds),
         j.cancel_requested_at is not null
  into v_changed, v_cancel
  from public.video_jobs j where j.id = p_job;

  if v_changed then
    perform from public.video_jobs j where j.id = p_job for no key update;
  end if;

  update video_worker.leases l set expires_at = now() + l.duration
  where l.job_id = p_job and l.token = p_token;
  if not found then
    return 'lost';
  end if;

  if v_changed then
    update public.video_jobs j
    set stage = p_stage, progress = p_progress, eta_seconds = p_eta_seconds
    where j.id = p_job
    returning j.cancel_requested_at is not null into v_cancel;
  end if;
  return case when v_cancel then 'cancel' else 'ok' end;
end
$$;

-- Locks the job and returns it if the lease with this token exists; else returns null.
create function video_worker.lock_leased_job(p_job uuid, p_token uuid) returns public.video_jobs
language plpgsql set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  select * into v_job from public.video_jobs j where j.id = p_job for no key update;
  if not exists (select from video_worker.leases l where l.job_id = p_job and l.token = p_token) then
    return null;
  end if;
  return v_job;
end
$$;

-- Ends a claim that did not complete. What it may have uploaded is due for removal after two
-- lease times, when even a worker that was paused has learnt that it lost the job.
create function video_worker.drop_lease(p_job public.video_jobs) returns void
language sql volatile set search_path = '' as $$
  with dropped as (
    delete from video_worker.leases l where l.job_id = p_job.id returning l.token, l.duration
  )
  insert into video_worker.orphans (prefix, due_at)
  select video_worker.output_prefix(p_job, dropped.token), now() + 2 * dropped.duration from dropped
  on conflict do nothing
$$;

-- 'completed', 'cancelled' (the user was quicker: remove the output), or 'lost'.
-- Repeating it after a lost reply is safe: the output's path holds the token.
create function video_worker.complete_job(
  p_job uuid, p_token uuid, p_output_path text, p_poster_path text, p_output_info jsonb
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_job.id is null then
    return case when exists (
      select from public.video_jobs j where j.id = p_job and j.status = 'completed' and j.output_path = p_output_path
    ) then 'completed' else 'lost' end;
  end if;
  if v_job.cancel_requested_at is not null then
    return video_worker.cancel_job(p_job, p_token);
  end if;
  if p_output_path not like video_worker.output_prefix(v_job, p_token) || '/%' then
    raise exception using errcode = 'check_violation', message = 'the output lies outside the folder of this claim';
  end if;
  update public.video_jobs j
  set status = 'completed', stage = null, progress = 100, eta_seconds = 0, finished_at = now(),
      output_path = p_output_path, poster_path = p_poster_path, output_info = p_output_info,
      error_code = null, error_message = null
  where j.id = p_job;
  delete from video_worker.leases l where l.job_id = p_job;
  return 'completed';
end
$$;

-- 'queued' (will run again after p_retry_in), 'failed' (final: no retry asked for, or no attempt
-- left), 'cancelled', or 'lost'.
create function video_worker.fail_job(
  p_job uuid, p_token uuid, p_code text, p_message text, p_retry_in interval default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_job.id is null then
    return 'lost';
  end if;
  if v_job.cancel_requested_at is not null then
    return video_worker.cancel_job(p_job, p_token);
  end if;
  return video_worker.end_attempt(v_job, p_code, p_message, p_retry_in);
end
$$;

create function video_worker.end_attempt(p_job public.video_jobs, p_code text, p_message text, p_retry_in interval)
returns text
language plpgsql set search_path = '' as $$
declare
  v_retry boolean := p_retry_in is not null and p_job.attempt < p_job.max_attempts;
begin
  if v_retry then
    update public.video_jobs j
    set status = 'queued', stage = null, progress = 0, eta_seconds = null,
        run_at = now() + p_retry_in, place = case when p_retry_in > interval '0' then null else j.place end,
        error_code = p_code, error_message = p_message
    where j.id = p_job.id;
  else
    update public.video_jobs j
    set status = 'failed', eta_seconds = null, finished_at = now(), error_code = p_code, error_message = p_message
    where j.id = p_job.id;
  end if;
  perform video_worker.drop_lease(p_job);
  return case when v_retry then 'queued' else 'failed' end;
end
$$;

-- 'cancelled' or 'lost'.
create function video_worker.cancel_job(p_job uuid, p_token uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_job.id is null then
    return 'lost';
  end if;
  update public.video_jobs j
  set status = 'cancelled', eta_seconds = null, finished_at = now()
  where j.id = p_job;
  perform video_worker.drop_lease(v_job);
  return 'cancelled';
end
$$;

-- Gives a job back unharmed, without spending an attempt and at its old place: for a worker that
-- shuts down. 'queued', 'cancelled' or 'lost'.
create function video_worker.release_job(p_job uuid, p_token uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_job.id is null then
    return 'lost';
  end if;
  if v_job.cancel_requested_at is not null then
    return video_worker.cancel_job(p_job, p_token);
  end if;
  update public.video_jobs j
  set status = 'queued', stage = null, progress = 0, eta_seconds = null, attempt = j.attempt - 1
  where j.id = p_job;
  perform video_worker.drop_lease(v_job);
  return 'queued';
end
$$;

-- Takes jobs from dead workers: those whose lease has expired, and at once those whose worker's
-- listening session is gone (its advisory lock is free) and that missed their heartbeat. The
-- lock tells death from slowness: a worker that is slow, draining or paused still holds it.
-- Returns the number of jobs taken. One worker at a time does it; the others get 0.
create function video_worker.rescue_expired() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_lease record;
  v_job public.video_jobs;
  v_rescued integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('video_worker rescue', 0)) then
    return 0;
  end if;
  for v_lease in select l.job_id, l.token from video_worker.leases l where video_worker.is_dead(l) loop
    select * into v_job from public.video_jobs j where j.id = v_lease.job_id for no key update skip locked;
    -- Looked at again under the row's lock: it may have been renewed or finished meanwhile.
    continue when v_job.id is null or not exists (
      select from video_worker.leases l
      where l.job_id = v_lease.job_id and l.token = v_lease.token and video_worker.is_dead(l));
    if v_job.cancel_requested_at is not null then
      perform video_worker.cancel_job(v_lease.job_id, v_lease.token);
    else
      perform video_worker.end_attempt(v_job, 'worker_lost',
        'The server stopped in the middle of this video. Try again later.', interval '0');
    end if;
    v_rescued := v_rescued + 1;
  end loop;
  return v_rescued;
end
$$;

-- While the database was down nobody could renew: silence counts from its start.
create function video_worker.silent_for(p_lease video_worker.leases) returns interval
language sql stable set search_path = '' as $$
  select now() - greatest(p_lease.expires_at - p_lease.duration, pg_postmaster_start_time())
$$;

create function video_worker.is_dead(p_lease video_worker.leases) returns boolean
language plpgsql volatile set search_path = '' as $$
declare
  v_silent interval := video_worker.silent_for(p_lease);
begin
  if v_silent > p_lease.duration then
    return true;
  end if;
  -- Heartbeats come twelve times per lease time: one is overdue.
  return v_silent > p_lease.duration / 12 + interval '2 seconds'
    and exists (select from video_worker.workers w where w.id = p_lease.worker_id and w.holds_lock)
    and pg_try_advisory_xact_lock_shared(hashtextextended(p_lease.worker_id::text, 0));
end
$$;
comment on function video_worker.is_dead is 'Whether the lease has run out, or its worker''s session is gone and its heartbeat is late.';

-- One statement keeps a worker in the picture: it says that it lives, rescues what the dead left, and
-- hears whether it shall drain, in how many seconds the next scheduled job is due (null: there is
-- none), and whether orphans wait for removal.
create function video_worker.check_in(
  p_worker uuid, p_name text, p_version text, p_slots smallint, p_holds_lock boolean
) returns table (drain boolean, rescued integer, next_job_in double precision, orphans_due boolean)
language plpgsql security definer set search_path = '' as $$
begin
  insert into video_worker.workers as w (id, name, version, slots, holds_lock)
  values (p_worker, p_name, p_version, p_slots, p_holds_lock)
  on conflict (id) do update set seen_at = now(), holds_lock = excluded.holds_lock
  returning w.drain_requested_at is not null into drain;
  rescued := video_worker.rescue_expired();
  next_job_in := (
    select greatest(extract(epoch from min(j.run_at) - now()), 0)
    from public.video_jobs j where j.status = 'queued' and j.place is null);
  orphans_due := exists (select from video_worker.orphans o where o.due_at <= now());
  return next;
end
$$;

create function video_worker.check_out(p_worker uuid) returns void
language sql security definer set search_path = '' as $$
  delete from video_worker.workers where id = p_worker
$$;
comment on function video_worker.check_out is 'A worker that ends in order takes itself off the list.';

-- Orphaned folders that are due, at most p_limit. Each is handed out again after ten minutes unless
-- it was cleared, so a worker that dies over it changes nothing.
create function video_worker.take_orphans(p_limit integer) returns setof text
language sql security definer set search_path = '' as $$
  with due as materialized (
    select prefix from video_worker.orphans where due_at <= now()
    order by due_at limit p_limit for update skip locked
  )
  update video_worker.orphans o set due_at = now() + interval '10 minutes'
  from due where o.prefix = due.prefix
  returning o.prefix
$$;

create function video_worker.clear_orphan(p_prefix text) returns void
language sql security definer set search_path = '' as $$
  delete from video_worker.orphans where prefix = p_prefix
$$;

-- Deletes finished rows whose time of keeping is over (see video_worker.config), at most 1,000 at a
-- time, and workers not seen for a day. Deleted rows leave their output to the orphans' sweep.
create function video_worker.prune() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_pruned integer;
begin
  delete from video_worker.workers w where w.seen_at < now() - interval '1 day';
  with old as materialized (
    select j.id from public.video_jobs j cross join video_worker.config c
    where j.finished_at < now() - least(c.keep_completed, c.keep_unsuccessful)
      and j.finished_at < now() - case when j.status = 'completed' then c.keep_completed else c.keep_unsuccessful end
    order by j.finished_at
    limit 1000
    for update of j skip locked
  )
  delete from public.video_jobs j using old where j.id = old.id;
  get diagnostics v_pruned = row_count;
  return v_pruned;
end
$$;

-- The newest migration that this database has. A worker that needs a newer one says so and waits.
create function video_worker.schema_version() returns text
language sql immutable set search_path = '' as $$ select '20261123100700' $$;

revoke all on all functions in schema video_worker from public, anon, authenticated, service_role;
grant execute on function
  video_worker.claim_jobs(uuid, uuid[], interval),
  video_worker.heartbeat(uuid, uuid, public.video_job_stage, smallint, integer),
  video_worker.complete_job(uuid, uuid, text, text, jsonb),
  video_worker.fail_job(uuid, uuid, text, text, interval),
  video_worker.cancel_job(uuid, uuid),
  video_worker.release_job(uuid, uuid),
  video_worker.rescue_expired(),
  video_worker.check_in(uuid, text, text, smallint, boolean),
  video_worker.check_out(uuid),
  video_worker.take_orphans(integer),
  video_worker.clear_orphan(text),
  video_worker.prune(),
  video_worker.schema_version()
to video_worker;
