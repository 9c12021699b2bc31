-- What happens to a row on its way in: limits, and a fair place in the queue.

set lock_timeout = '5s';
set statement_timeout = '60s';

-- Start-time fair queueing. A job's place is the virtual time at which its service would start if
-- the workers went round the users job by job. The queue's clock is the place being served now; a
-- user who has nothing waiting enters at the clock, so it goes before everyone's second job, and
-- each further job of the same user stands one place later. So a user with 10,000 jobs delays a
-- newcomer by the jobs already running and no more, and the claim is still one ordered index scan.
--
-- A user has at most max_running_jobs_per_user places, on jobs that run and on jobs that may run
-- next. Further jobs are held: they get a place when one of those ends. So the limit needs no look
-- at the claim, and no claim ever reads past the backlog of a user who is at the limit.
--
-- Who adds to a user's places holds that user's lock: inserts and retries by waiting for it
-- (queue_up), place_waiting by trying. A job that ends passes its place on, one for one, which needs no lock.

create function video_worker.lock_key(p_user uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('video_jobs user ' || p_user::text, 0);
end
$$;
comment on function video_worker.lock_key is 'The advisory lock under which jobs of this user are counted and added.';

-- The clock is read from the rows. `min(queued) - 1` keeps it from falling back when the only
-- running job is an old one that was rescued.
create function video_worker.queue_clock(p_priority smallint) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return greatest(
    0,
    (select max(j.place) from public.video_jobs j where j.status = 'processing' and j.priority = p_priority),
    (select min(j.place) from public.video_jobs j
     where j.status = 'queued' and j.place is not null and j.priority = p_priority) - 1);
end
$$;
comment on function video_worker.queue_clock is 'The place that is being served now among the jobs of one priority; 0 when there are none.';

-- p_after: the place that the user was served at last, if that is known. A job that waited for a
-- retry has had its turn before and enters at the clock, not behind the other jobs of its user; so
-- does one that joins what has been encoded.
create function video_worker.next_place(p_job public.video_jobs, p_after bigint default null) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  if p_job.attempt > 0 or (p_job.parent_id is not null and p_job.segment is null) then
    return video_worker.queue_clock(p_job.priority);
  end if;
  return greatest(
    video_worker.queue_clock(p_job.priority),
    p_after + 1,
    (select max(j.place) + 1 from public.video_jobs j
     where j.status in ('queued', 'processing') and j.place is not null
       and j.user_id = p_job.user_id and j.priority = p_job.priority));
end
$$;
comment on function video_worker.next_place is 'The place that this job gets when it becomes claimable now. Precondition: its user''s lock is held, or it takes over the place of a job that just ended.';

create function video_worker.has_room(p_user uuid) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  v_limit integer := (select c.max_running_jobs_per_user from video_worker.config c);
begin
  return v_limit is null or v_limit > (
    select count(*) from public.video_jobs j
    where j.user_id = p_user and j.status in ('queued', 'processing') and j.place is not null);
end
$$;
comment on function video_worker.has_room is 'Whether one more job of this user may have a place. Holds for as long as the user''s lock is held.';

-- Looking and then inserting lets parallel inserts through together (10 of 20 passed a limit of 3
-- when tried); the lock makes them queue. It is held until commit and is per user.
create function video_worker.queue_up(p_user uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(video_worker.lock_key(p_user));
end
$$;
comment on function video_worker.queue_up is 'Waits until no other transaction adds a job of this user; until commit, none can.';

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
    v_open := (
      select count(*) from public.video_jobs j
      where j.user_id = p_user and j.status in ('queued', 'processing') and j.place is not null and j.parent_id is null
    ) + (
      select count(*) from public.video_jobs j
      where j.user_id = p_user and j.status = 'queued' and j.place is null and j.held in (true, false)
        and j.parent_id is null
    ) + (
      select count(*) from video_worker.splits s join public.video_jobs j on j.id = s.job_id where j.user_id = p_user);
    if v_open >= v_config.max_open_jobs_per_user then
      raise exception using errcode = 'PT429', message = 'quota_open_jobs',
        detail = format('You have %s jobs waiting or running; at most %s are allowed.', v_open, v_config.max_open_jobs_per_user),
        hint = 'Wait until one of them is finished, or cancel one.';
    end if;
  end if;

  if v_config.max_jobs_per_hour_per_user is not null then
    select count(*), min(created_at) into v_recent, v_oldest from public.video_jobs
    where user_id = p_user and created_at > now() - interval '1 hour' and parent_id is null;
    if v_recent >= v_config.max_jobs_per_hour_per_user then
      raise exception using errcode = 'PT429', message = 'quota_jobs_per_hour',
        detail = format('You have sent %s jobs within an hour; at most %s are allowed.', v_recent, v_config.max_jobs_per_hour_per_user),
        hint = format('Retry after %s seconds.', ceil(extract(epoch from v_oldest + interval '1 hour' - now())));
    end if;
  end if;
end
$$;
comment on function video_worker.enforce_quota is 'Raises PT429 when this user may not queue another job now; serialises the user''s inserts.';

-- Refuses a job (PT429 over a limit, 23505 for a key that was used), or gives it what it starts with.
create function video_worker.admit_job() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
begin
  if new.status <> 'queued' then
    raise exception using errcode = 'check_violation', message = 'a new job starts as queued';
  end if;
  if new.parent_id is not null then
    new.held := true;  -- its place comes from the job that it is a part of, or from place_waiting
    return new;
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
  new.place := null;
  new.held := false;
  if new.run_at <= now() then
    new.held := not video_worker.has_room(new.user_id);
    if new.held then
      new.held := not video_worker.displace(new);
    end if;
    if not new.held then
      new.place := video_worker.next_place(new);
    end if;
  end if;
  return new;
end
$$;

create trigger video_jobs_admit before insert on public.video_jobs
  for each row execute function video_worker.admit_job();

-- An urgent job takes the place of a less urgent one of the same user that has not begun. False:
-- there is none (or a worker is just claiming it).
create function video_worker.displace(p_job public.video_jobs) returns boolean
language plpgsql set search_path = '' as $$
begin
  update public.video_jobs set place = null, held = true
  where id = (
    select j.id from public.video_jobs j
    where j.user_id = p_job.user_id and j.status = 'queued' and j.place is not null and j.priority < p_job.priority
    order by j.priority, j.place desc
    limit 1
    for no key update skip locked);
  return found;
end
$$;
comment on function video_worker.displace is 'Holds the least urgent waiting job of a user for the sake of a more urgent one. Precondition: the user''s lock is held. False: every place is taken by a job that is as urgent, runs, or is just being claimed.';

-- Gives a place to the first held job of a user; false: there is none.
-- Precondition: there is room, and the user's lock is held or the job p_left just left its place.
create function video_worker.place_next(p_user uuid, p_left public.video_jobs default null) returns boolean
language plpgsql set search_path = '' as $$
declare
  v_job public.video_jobs;
begin
  select * into v_job from public.video_jobs j
  where j.held and j.user_id = p_user and j.status = 'queued' and j.place is null
  order by j.priority desc, j.created_at
  limit 1
  for no key update skip locked;
  if v_job.id is null then
    return false;
  end if;
  update public.video_jobs j
  set held = false,
      place = video_worker.next_place(v_job, case when p_left.priority = v_job.priority then p_left.place end)
  where j.id = v_job.id;
  return true;
end
$$;

-- A job that ends, in whatever way, passes its place on to the next held job of its user.
create function video_worker.pass_place_on() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
begin
  if exists (
      select from public.video_jobs j
      where j.held and j.user_id = old.user_id and j.status = 'queued' and j.place is null)
    and video_worker.has_room(old.user_id)
  then
    perform video_worker.place_next(old.user_id, old);
  end if;
  return null;
end
$$;

create trigger video_jobs_pass_place_on after update of status, place on public.video_jobs
  for each row when (
    old.place is not null and old.status in ('queued', 'processing')
    and (new.place is null or new.status not in ('queued', 'processing')) and not new.held)
  execute function video_worker.pass_place_on();
create trigger video_jobs_pass_place_on_delete after delete on public.video_jobs
  for each row when (old.place is not null and old.status in ('queued', 'processing'))
  execute function video_worker.pass_place_on();

-- Gives places to all that may have one: to scheduled jobs whose time has come, and to held jobs of
-- users who have room (a limit was raised, or the place was passed on while the job was being
-- inserted). Returns how many; 0: nothing waits, or another session is at it.
create function video_worker.place_waiting() returns integer
language plpgsql set search_path = '' as $$
declare
  v_user uuid := '00000000-0000-0000-0000-000000000000';
  v_placed integer := 0;
begin
  update public.video_jobs set held = true
  where id in (
    select j.id from public.video_jobs j
    where j.status = 'queued' and j.place is null and not j.held and j.run_at <= now()
    order by j.run_at
    limit 1000
    for no key update skip locked);
  loop
    v_user := (
      select j.user_id from public.video_jobs j
      where j.held and j.status = 'queued' and j.place is null and j.user_id > v_user
      order by j.user_id limit 1);
    exit when v_user is null or v_placed >= 1000;
    continue when not pg_try_advisory_xact_lock(video_worker.lock_key(v_user));
    while v_placed < 1000 and video_worker.has_room(v_user) and video_worker.place_next(v_user) loop
      v_placed := v_placed + 1;
    end loop;
  end loop;
  return v_placed;
end
$$;
