-- What keeps the queue in order: every worker checks in, and so takes over what the dead left.

set lock_timeout = '5s';
set statement_timeout = '60s';

-- Silence of a lease's holder, as far as the judge can tell: while the database was down, or the
-- judge itself was cut off from it, nobody could be heard.
create function video_worker.silent_for(p_lease video_worker.leases, p_judge_since timestamptz) returns interval
language plpgsql stable set search_path = '' as $$
begin
  return now() - greatest(p_lease.expires_at - p_lease.duration, p_judge_since, pg_postmaster_start_time());
end
$$;

-- Heartbeats come twelve times per lease time. After one that is overdue, a session lock that is
-- free tells death from slowness, provided that the worker has held it since the database started.
create function video_worker.is_dead(p_lease video_worker.leases, p_judge_since timestamptz) returns boolean
language plpgsql volatile set search_path = '' as $$
declare
  v_silent interval := video_worker.silent_for(p_lease, p_judge_since);
begin
  if v_silent > p_lease.duration then
    return true;
  end if;
  return v_silent > p_lease.duration / 12 + interval '2 seconds'
    and exists (
      select from video_worker.workers w
      where w.id = p_lease.worker_id and w.holds_lock and w.seen_at > pg_postmaster_start_time())
    and pg_try_advisory_xact_lock_shared(hashtextextended(p_lease.worker_id::text, 0));
end
$$;
comment on function video_worker.is_dead is 'Whether the lease has run out, or its worker''s session is gone and its heartbeat is late.';

-- Takes jobs from dead workers; the attempt stays spent. Returns how many; 0: nobody is dead, or others
-- are at their jobs. It waits for no lock, so a heartbeat that comes at this moment wins.
-- Precondition: the caller has been in touch with the database since p_judge_since.
create function video_worker.rescue_expired(p_judge_since timestamptz) returns integer
language plpgsql set search_path = '' as $$
declare
  v_lease record;
  v_job public.video_jobs;
  v_rescued integer := 0;
begin
  for v_lease in
    select l.job_id, l.token, j.parent_id
    from video_worker.leases l join public.video_jobs j on j.id = l.job_id
    where video_worker.is_dead(l, p_judge_since)
    order by coalesce(j.parent_id, l.job_id)
  loop
    if v_lease.parent_id is not null then
      perform from public.video_jobs j where j.id = v_lease.parent_id for no key update skip locked;
      continue when not found;
    end if;
    select * into v_job from public.video_jobs j where j.id = v_lease.job_id for no key update skip locked;
    continue when v_job.id is null;
    -- Looked at again under both locks: it may have been renewed or finished meanwhile.
    perform from video_worker.leases l
    where l.job_id = v_lease.job_id and l.token = v_lease.token and video_worker.is_dead(l, p_judge_since)
    for no key update skip locked;
    continue when not found;
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

-- One statement every p_every keeps a worker in the picture: it says that it lives, rescues what the
-- dead left, and hears whether it shall drain, whether there is a job to claim, in how many seconds
-- the next scheduled one is due (null: there is none), and whether orphans wait for removal. Always one
-- row. Precondition: p_holds_lock is true only while the worker's session holds its lock.
-- The upkeep is done by one worker at a time; the others get rescued = 0.
create function video_worker.check_in(
  p_worker uuid, p_name text, p_version text, p_slots smallint, p_holds_lock boolean, p_every interval
) returns table (
  drain boolean, rescued integer, jobs_ready boolean, next_job_in double precision, orphans_due boolean
)
language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  v_present_since timestamptz;
begin
  insert into video_worker.workers as w (id, name, version, slots, holds_lock)
  values (p_worker, p_name, p_version, p_slots, p_holds_lock)
  on conflict (id) do update
    set seen_at = now(), holds_lock = excluded.holds_lock,
        present_since = case when w.seen_at < now() - 2.5 * p_every then now() else w.present_since end
  returning w.drain_requested_at is not null, w.present_since into drain, v_present_since;

  rescued := 0;
  if pg_try_advisory_xact_lock(hashtextextended('video_worker upkeep', 0)) then
    rescued := video_worker.rescue_expired(v_present_since);
    perform video_worker.mend_splits();
    perform video_worker.place_waiting();
  end if;
  jobs_ready := exists (select from public.video_jobs j where j.status = 'queued' and j.place is not null);
  next_job_in := (
    select greatest(extract(epoch from j.run_at - now()), 0)
    from public.video_jobs j where j.status = 'queued' and j.place is null and not j.held
    order by j.run_at limit 1);
  orphans_due := exists (select from video_worker.orphans o where o.due_at <= now());
  return next;
end
$$;

create function video_worker.check_out(p_worker uuid) returns void
language sql security definer set search_path = '' as $$
  delete from video_worker.workers where id = p_worker
$$;
comment on function video_worker.check_out is 'A worker that ends in order takes itself off the list; nothing happens if it is not on it. Precondition: it holds no lease.';

-- Orphaned folders that are due, at most p_limit; zero rows: there are none, or others are at them. Each
-- is handed out again after ten minutes unless it was cleared, so a worker that dies over it changes
-- nothing.
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

-- Nothing happens if it is not on the list. Precondition: nothing is left in the folder.
create function video_worker.clear_orphan(p_prefix text) returns void
language sql security definer set search_path = '' as $$
  delete from video_worker.orphans where prefix = p_prefix
$$;

-- Deletes finished rows whose time of keeping is over (see video_worker.config), at most 1,000 at a
-- time, and workers not seen for a day. Returns how many rows; below 1,000: there are no more. Deleted
-- rows leave their output to the orphans' sweep.
create function video_worker.prune() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_pruned integer;
begin
  delete from video_worker.workers w where w.seen_at < now() - interval '1 day';
  with old as materialized (
    select j.id from public.video_jobs j cross join video_worker.config c
    where j.parent_id is null and j.finished_at < now() - least(c.keep_completed, c.keep_unsuccessful)
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
  video_worker.check_in(uuid, text, text, smallint, boolean, interval),
  video_worker.check_out(uuid),
  video_worker.take_orphans(integer),
  video_worker.clear_orphan(text),
  video_worker.prune(),
  video_worker.schema_version()
to video_worker;
-- CHECKs of the table call it in the name of whoever writes a row.
grant execute on function video_worker.is_own_path(uuid, text) to authenticated, service_role;
