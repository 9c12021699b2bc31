-- What happens to a row on its way in: limits, and a fair place in the queue.

set lock_timeout = '5s';
set statement_timeout = '60s';

-- Start-time fair queueing. A job's place is the virtual time at which its service would start if
-- the workers went round the users job by job. The queue's clock is the place being served now; a
-- user who has nothing waiting enters at the clock, so it goes before everyone's second job, and
-- each further job of the same user stands one place later. So a user with 10,000 jobs delays a
-- newcomer by the jobs already running and no more, and the claim is still one ordered index scan.
--
-- The clock is read from the rows. `min(queued) - 1` keeps it from falling back when the only
-- running job is an old one that was rescued; `max(processing)` keeps it from being held back by
-- a user who waits at the limit of running jobs.
create function video_worker.queue_clock(p_priority smallint) returns bigint
language sql stable set search_path = '' as $$
  select greatest(
    coalesce((select max(place) from public.video_jobs
              where status = 'processing' and priority = p_priority), 0),
    coalesce((select min(place) from public.video_jobs
              where status = 'queued' and place is not null and priority = p_priority), 1) - 1
  )
$$;
comment on function video_worker.queue_clock is 'The place that is being served now among the jobs of one priority.';

create function video_worker.next_place(p_user uuid, p_priority smallint) returns bigint
language sql volatile set search_path = '' as $$
  select greatest(
    video_worker.queue_clock(p_priority),
    (select max(place) + 1 from public.video_jobs
     where status in ('queued', 'processing') and user_id = p_user and priority = p_priority)
  )
$$;
comment on function video_worker.next_place is 'The place that a job of this user gets when it becomes claimable now.';

-- Looking and then inserting lets parallel inserts through together (10 of 20 passed a limit of 3
-- when tried); the lock makes them queue. It is held until commit and is per user.
create function video_worker.queue_up(p_user uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('video_jobs quota ' || p_user, 0))
$$;
comment on function video_worker.queue_up is 'Waits until no other transaction inserts a job of this user.';

create function video_worker.enforce_quota(p_user uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_config video_worker.config;
  v_open bigint;
  v_recent bigint;
  v_oldest timestamptz;
begin
  perform video_worker.queue_up(p_user);
  select * into v_config from video_worker.config;

  if v_config.max_open_jobs_per_user is not null then
    select count(*) into v_open from public.video_jobs
    where user_id = p_user and status in ('queued', 'processing');
    if v_open >= v_config.max_open_jobs_per_user then
      raise exception using errcode = 'PT429', message = 'quota_open_jobs',
        detail = format('You have %s jobs waiting or running; at most %s are allowed.', v_open, v_config.max_open_jobs_per_user),
        hint = 'Wait until one of them is finished, or cancel one.';
    end if;
  end if;

  if v_config.max_jobs_per_hour_per_user is not null then
    select count(*), min(created_at) into v_recent, v_oldest from public.video_jobs
    where user_id = p_user and created_at > now() - interval '1 hour';
    if v_recent >= v_config.max_jobs_per_hour_per_user then
      raise exception using errcode = 'PT429', message = 'quota_jobs_per_hour',
        detail = format('You have sent %s jobs within an hour; at most %s are allowed.', v_recent, v_config.max_jobs_per_hour_per_user),
        hint = format('Retry after %s seconds.', ceil(extract(epoch from v_oldest + interval '1 hour' - now())));
    end if;
  end if;
end
$$;
comment on function video_worker.enforce_quota is 'Raises PT429 when this user may not queue another job now; serialises the user''s inserts.';

create function video_worker.admit_job() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status <> 'queued' then
    raise exception using errcode = 'check_violation', message = 'a new job starts as queued';
  end if;
  -- Before the quota: a request that is sent again because its answer was lost must hear that its
  -- job is there, also when that job is the last one allowed.
  perform video_worker.queue_up(new.user_id);
  if exists (select from public.video_jobs j
             where j.user_id = new.user_id and j.idempotency_key = new.idempotency_key) then
    raise exception using errcode = 'unique_violation', message = 'idempotency_key_used',
      detail = 'There is a job of yours with this key.';
  end if;
  perform video_worker.enforce_quota(new.user_id);
  new.place := case when new.run_at <= now() then video_worker.next_place(new.user_id, new.priority) end;
  return new;
end
$$;

create trigger video_jobs_admit before insert on public.video_jobs
  for each row execute function video_worker.admit_job();

-- A job whose time has come gets its place then, like one that is inserted at that moment. One
-- that waited for a retry has had its turn before and enters at the clock, not behind all the
-- other jobs of its user. SKIP LOCKED: whoever else is at it does it.
create function video_worker.promote_due_jobs() returns void
language sql volatile set search_path = '' as $$
  with due as materialized (
    select id from public.video_jobs
    where status = 'queued' and place is null and run_at <= now()
    order by run_at
    limit 100
    for update skip locked
  )
  update public.video_jobs j
  set place = case when j.attempt > 0 then video_worker.queue_clock(j.priority)
                   else video_worker.next_place(j.user_id, j.priority) end
  from due where j.id = due.id
$$;
comment on function video_worker.promote_due_jobs is 'Gives a place to the jobs whose run_at has come, at most 100 at a time.';
