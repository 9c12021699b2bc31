-- One function per transition. The rules that all of them keep:
--   * Fence: a transition names the claim's token. If the lease with that token is gone, the caller
--     has lost the job: nothing is changed, and the answer is 'lost'.
--   * A job's row lock guards its lease: lock the job first, then look at the lease in a new
--     statement (a new snapshot). In one statement a join would re-check the job after waiting
--     for its lock, but compare the lease as it was before.
--   * Time is the database's time. No worker's clock takes part.
--   * Each may be called again after a lost reply. The precondition is the same for all: the caller is in
--     no transaction of its own, so that a lock is held for one statement and what is answered is committed.
--   * Who locks a job that is a part of another, and then waits for a lock, has locked the other first.

set lock_timeout = '5s';
set statement_timeout = '60s';

create function video_worker.output_prefix(p_job public.video_jobs, p_token uuid) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return format('%s/%s/%s-%s', p_job.user_id, coalesce(p_job.parent_id, p_job.id), p_job.attempt, p_token);
end
$$;
comment on function video_worker.output_prefix is 'Folder in bucket renders that belongs to one claim of one job.';

-- Claims at most as many jobs as tokens are given, in fair order. The caller makes the tokens, new
-- ones for every claim, so a call that is repeated after a lost reply returns the jobs that the first
-- one claimed.
-- Zero rows, or fewer than tokens: nothing more is claimable now. A notification, or jobs_ready of a
-- check-in, will say when to ask again.
create function video_worker.claim_jobs(p_worker uuid, p_tokens uuid[], p_lease interval)
returns table (
  job_id uuid, token uuid, user_id uuid, attempt smallint, max_attempts smallint,
  input_path text, subtitle_path text, options jsonb, traceparent text, output_prefix text, waited interval,
  whole boolean, parent_id uuid, segment smallint, split jsonb
)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_jobs uuid[];
begin
  -- A repeated call waits for the first one, should that still be under way.
  perform pg_advisory_xact_lock(hashtextextended('video_worker claim ' || p_worker::text, 0));
  if not exists (select from video_worker.leases l where l.token = any (p_tokens)) then
    if now() >= (
      select j.run_at from public.video_jobs j
      where j.status = 'queued' and j.place is null and not j.held order by j.run_at limit 1)
    then
      perform video_worker.place_waiting();
    end if;
    v_jobs := video_worker.lock_ready_jobs(cardinality(p_tokens));
    if cardinality(v_jobs) < cardinality(p_tokens)
      and exists (select from public.video_jobs j where j.held and j.status = 'queued' and j.place is null)
      and video_worker.place_waiting() > 0
    then
      v_jobs := video_worker.lock_ready_jobs(cardinality(p_tokens));
    end if;

    insert into video_worker.leases (job_id, token, worker_id, duration, expires_at)
    select c.job_id, c.token, p_worker, p_lease, now() + p_lease
    from unnest(v_jobs, p_tokens) as c (job_id, token) where c.job_id is not null;

    update public.video_jobs j
    set status = 'processing', stage = 'download', attempt = j.attempt + 1, started_at = now(),
        progress = 0, eta_seconds = null, error_code = null, error_message = null
    where j.id = any (v_jobs);
  end if;

  return query
    select j.id, l.token, j.user_id, j.attempt, j.max_attempts, j.input_path, j.subtitle_path, j.options,
           j.traceparent, video_worker.output_prefix(j, l.token), j.started_at - greatest(j.created_at, j.run_at),
           j.whole, j.parent_id, j.segment,
           case when j.parent_id is not null then video_worker.part_of_split(j.parent_id, j.segment) end
    from video_worker.leases l join public.video_jobs j on j.id = l.job_id
    where l.token = any (p_tokens)
    order by j.priority desc, j.place, j.created_at;
end
$$;

-- The first jobs in fair order that no other session is claiming at this moment; they stay locked.
-- An empty array: there are none, or others are at all of them.
create function video_worker.lock_ready_jobs(p_limit integer) returns uuid[]
language plpgsql set search_path = '' as $$
begin
  return array(
    select j.id from public.video_jobs j
    where j.status = 'queued' and j.place is not null
    order by j.priority desc, j.place, j.created_at
    limit p_limit
    for no key update skip locked);
end
$$;

-- Renews the lease; writes stage, progress and ETA only where they differ from the row, and only if
-- nobody has the row locked: a heartbeat must not wait for a row that somebody looks at in psql.
-- 'ok', 'cancel' (the user wants it stopped), or 'lost' (the lease is another's or gone).
create function video_worker.heartbeat(
  p_job uuid, p_token uuid,
  p_stage public.video_job_stage, p_progress smallint, p_eta_seconds integer
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_changed boolean;
  v_cancel boolean;
  v_parent uuid;
begin
  select (j.stage, j.progress, j.eta_seconds) is distinct from (p_stage, p_progress, p_eta_seconds),
         j.cancel_requested_at is not null, j.parent_id
  into v_changed, v_cancel, v_parent
  from public.video_jobs j where j.id = p_job;

  if v_changed then
    perform from public.video_jobs j where j.id = p_job for no key update skip locked;
    v_changed := found;
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
    if v_parent is not null then
      perform video_worker.show_progress(v_parent);
    end if;
  end if;
  return case when v_cancel then 'cancel' else 'ok' end;
end
$$;

-- Locks the job, and the one that it is a part of, and returns it if the lease with this token
-- exists; else returns null. Precondition: who locks several comes to them in the order of complete_jobs.
create function video_worker.lock_leased_job(p_job uuid, p_token uuid) returns public.video_jobs
language plpgsql set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  perform from public.video_jobs j
  where j.id = (select c.parent_id from public.video_jobs c where c.id = p_job) for no key update;
  select * into v_job from public.video_jobs j where j.id = p_job for no key update;
  if not exists (select from video_worker.leases l where l.job_id = p_job and l.token = p_token) then
    return null;
  end if;
  return v_job;
end
$$;

-- Ends a claim that did not complete; nothing happens if there is none. What it may have uploaded is due
-- for removal after two lease times, when even a worker that was paused has learnt that it lost the job.
-- Precondition: the job is locked, and p_job is the row as it was claimed (its attempt names the folder).
create function video_worker.drop_lease(p_job public.video_jobs) returns void
language sql volatile set search_path = '' as $$
  with dropped as (
    delete from video_worker.leases l where l.job_id = p_job.id returning l.token, l.duration
  )
  insert into video_worker.orphans (prefix, due_at)
  select video_worker.output_prefix(p_job, dropped.token), now() + 2 * dropped.duration from dropped
  on conflict do nothing
$$;

-- Completes jobs, as many as there are at once: what a statement costs is more than what a row does. Each
-- gets its own answer: 'completed', 'cancelled' (the user was quicker: remove the output), or 'lost'; one row
-- for each that was asked for. Repeating it after a lost reply is safe: the output's path holds the token.
create function video_worker.complete_jobs(
  p_jobs uuid[], p_tokens uuid[], p_output_paths text[], p_poster_paths text[], p_output_infos jsonb[]
) returns table (job_id uuid, answer text)
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_leased uuid[];
  v_done uuid[];
  v_stray boolean;
  v_parts boolean;
begin
  -- Locks are taken in one order, whoever takes them: jobs, each before its parts, then leases.
  perform from public.video_jobs j
  where j.id in (
    select unnest(p_jobs) union select c.parent_id from public.video_jobs c where c.id = any (p_jobs))
  order by coalesce(j.parent_id, j.id), j.parent_id nulls first, j.id
  for no key update;
  select coalesce(array_agg(l.job_id), '{}'), coalesce(array_agg(l.job_id) filter (where not l.cancelled), '{}'),
         bool_or(l.stray), bool_or(l.part)
  into v_leased, v_done, v_stray, v_parts
  from (
    select l.job_id, j.cancel_requested_at is not null as cancelled, j.parent_id is not null as part,
           e.output_path not like video_worker.output_prefix(j, e.token) || '/%' as stray
    from unnest(p_jobs, p_tokens, p_output_paths) as e (job_id, token, output_path)
    join video_worker.leases l on l.job_id = e.job_id and l.token = e.token
    join public.video_jobs j on j.id = e.job_id
    order by coalesce(j.parent_id, j.id), j.id
    for update of l) l;

  if v_stray then
    raise exception using errcode = 'check_violation', message = 'the output lies outside the folder of its claim';
  end if;
  if v_parts then
    perform video_worker.add_joins(v_done);
  end if;
  -- The end of a join is its parent's.
  update public.video_jobs j
  set status = 'completed', stage = null, progress = 100, eta_seconds = 0, finished_at = now(),
      output_path = e.output_path, poster_path = e.poster_path, output_info = e.output_info,
      error_code = null, error_message = null
  from unnest(p_jobs, p_output_paths, p_poster_paths, p_output_infos) as e (job_id, output_path, poster_path, output_info)
  join public.video_jobs c on c.id = e.job_id
  where c.id = any (v_done) and j.id = case when c.segment is null then coalesce(c.parent_id, c.id) else c.id end;
  delete from video_worker.leases l where l.job_id = any (v_done);
  if v_parts then
    perform case when c.segment is null then video_worker.end_split(c.parent_id) else video_worker.show_progress(c.parent_id) end
    from public.video_jobs c where c.id = any (v_done) and c.parent_id is not null;
  end if;

  return query
    select e.job_id, case
      when e.job_id = any (v_done) then 'completed'
      when e.job_id = any (v_leased) then video_worker.cancel_job(e.job_id, e.token)
      when exists (
        select from public.video_jobs j
        where j.id in (e.job_id, split_part(e.output_path, '/', 2)::uuid)
          and j.status = 'completed' and j.output_path = e.output_path) then 'completed'
      else 'lost' end
    from unnest(p_jobs, p_tokens, p_output_paths) as e (job_id, token, output_path);
end
$$;

-- 'queued' (will run again after p_retry_in), 'failed' (final: no retry asked for, or no attempt
-- left; where the job is a part of another, that one has failed), 'cancelled', or 'lost'.
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

-- 'queued' or 'failed', as above. Precondition: the job is locked and leased.
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
    where j.id = coalesce(p_job.parent_id, p_job.id);
  end if;
  perform video_worker.drop_lease(p_job);
  if p_job.parent_id is not null and not v_retry then
    perform video_worker.end_split(p_job.parent_id);
  end if;
  return case when v_retry then 'queued' else 'failed' end;
end
$$;

-- 'cancelled' or 'lost'. Precondition: the user has asked for it.
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

grant execute on function
  video_worker.claim_jobs(uuid, uuid[], interval),
  video_worker.heartbeat(uuid, uuid, public.video_job_stage, smallint, integer),
  video_worker.complete_jobs(uuid[], uuid[], text[], text[], jsonb[]),
  video_worker.fail_job(uuid, uuid, text, text, interval),
  video_worker.cancel_job(uuid, uuid),
  video_worker.release_job(uuid, uuid)
to video_worker;
