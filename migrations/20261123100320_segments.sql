-- Long videos on many workers.
--
-- The worker that claimed a long video cuts it into segments at keyframes (split_job) and is done with
-- it. Each segment is a row with a parent_id: claimed, leased, retried, rescued and fair like any other
-- job, for its user's running jobs count segments. When the last one is completed, one more such row
-- appears, without a number: to join them. Its completion is the parent's.
--
--   queued ──claim──▶ processing ──split_job──▶ processing, without a lease ──the join──▶ completed
--     ▲                                              │ │ │
--     ├───────────── unsplit_job ────────────────────┘ │ └─ a part fails for good ──▶ failed
--     │      (to be burned whole, no attempt spent)    └─── cancel ──▶ cancelled
--
-- While it is split, nobody holds the parent, so no worker has to live for as long as it takes: its fate
-- is decided in the transactions that end its parts, under its row's lock. When it leaves that state,
-- in whatever way, its parts are deleted with it; who works on one hears 'lost'. What they
-- have stored lies in the parent's folder, and is noted as orphaned by the same deletion.

set lock_timeout = '5s';
set statement_timeout = '60s';

create table video_worker.splits (
  job_id uuid primary key references public.video_jobs (id) on delete cascade,
  token uuid not null,
  prefix text not null,
  plan jsonb not null,
  frames integer[] not null,
  progress smallint not null,
  split_at timestamptz not null default now()
);
comment on table video_worker.splits is 'One row per job that is being encoded in segments: while there is one, nobody holds the job.';
comment on column video_worker.splits.prefix is 'Folder in bucket renders of the claim that split the job: what its segments are made from.';
comment on column video_worker.splits.plan is 'As the worker made it: what is common, and a list "segments".';
comment on column video_worker.splits.frames is 'Frames of each segment: their weights in the progress.';
comment on column video_worker.splits.progress is 'Per cent of the whole job that were done when it was split.';
alter table video_worker.splits enable row level security;

-- Lays a job down in segments. p_plan -> 'segments' has an object for each, with its number of "frames".
-- 'split', 'cancelled' or 'lost'. Repeating it after a lost reply is safe.
create function video_worker.split_job(p_job uuid, p_token uuid, p_plan jsonb) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_job public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_job.id is null then
    return case when exists (
      select from video_worker.splits s where s.job_id = p_job and s.token = p_token
    ) then 'split' else 'lost' end;
  end if;
  if v_job.cancel_requested_at is not null then
    return video_worker.cancel_job(p_job, p_token);
  end if;
  insert into video_worker.splits (job_id, token, prefix, plan, frames, progress)
  values (p_job, p_token, video_worker.output_prefix(v_job, p_token), p_plan,
          array(select (s ->> 'frames')::integer from jsonb_array_elements(p_plan -> 'segments') s), v_job.progress);
  perform video_worker.add_part(v_job, n)
  from generate_series(0, jsonb_array_length(p_plan -> 'segments') - 1) n;
  -- It works no more: its place goes to the first of the segments.
  update public.video_jobs j set stage = 'render', eta_seconds = null, place = null where j.id = p_job;
  delete from video_worker.leases l where l.job_id = p_job;
  return 'split';
end
$$;

-- As old as its parent, so that it comes before what its user sent later. Precondition: the parent is locked.
create function video_worker.add_part(p_parent public.video_jobs, p_segment integer) returns void
language sql volatile set search_path = '' as $$
  insert into public.video_jobs (
    user_id, parent_id, segment, priority, input_path, subtitle_path, options, max_attempts, traceparent, created_at)
  values (
    p_parent.user_id, p_parent.id, p_segment, p_parent.priority, p_parent.input_path, p_parent.subtitle_path,
    p_parent.options, p_parent.max_attempts, p_parent.traceparent, p_parent.created_at)
$$;

-- What the worker that claims a part must know: what is common and where it lies; for a segment, its own
-- piece of the plan; for joining, what has become of every segment. Null: the parent is split no more.
create function video_worker.part_of_split(p_parent uuid, p_segment smallint) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select s.plan - 'segments' || jsonb_build_object('prefix', s.prefix) || case
      when p_segment is not null then jsonb_build_object('segment', s.plan -> 'segments' -> p_segment)
      else jsonb_build_object('segments', (
        select jsonb_agg(c.output_info || jsonb_build_object('path', c.output_path) order by c.segment)
        from public.video_jobs c where c.parent_id = p_parent and c.segment is not null))
      end
    from video_worker.splits s where s.job_id = p_parent);
end
$$;

-- Segments are about to be completed: where they are a parent's last ones, joining comes next, and inherits
-- a place of theirs. Precondition, here and below: the parents are locked. So of two last segments one is the last.
create function video_worker.add_joins(p_ending uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform video_worker.add_part(p, null)
  from public.video_jobs p
  where p.id in (select c.parent_id from public.video_jobs c where c.id = any (p_ending) and c.segment is not null)
    and not exists (
      select from public.video_jobs c
      where c.parent_id = p.id and c.status in ('queued', 'processing') and c.id <> all (p_ending));
end
$$;

-- The end of a job's being split; nothing happens if it was not. Deleting a part passes its place on, and notes what it has stored.
-- A worker renews the leases of several parts in the order of their ids, and waits for no part itself.
create function video_worker.end_split(p_parent uuid) returns void
language sql volatile set search_path = '' as $$
  select from public.video_jobs c where c.parent_id = p_parent order by c.id for update;
  select from video_worker.leases l
  where l.job_id in (select c.id from public.video_jobs c where c.parent_id = p_parent)
  order by l.job_id for update;
  delete from public.video_jobs c where c.parent_id = p_parent;
  with ended as (delete from video_worker.splits s where s.job_id = p_parent returning s.prefix)
  insert into video_worker.orphans (prefix, due_at) select ended.prefix, now() from ended
  on conflict do nothing
$$;

-- Segments don't fit together, or one can't be made: the video is to be burned whole, by whoever comes
-- next. Like a release this spends no attempt. 'queued' or 'lost'.
create function video_worker.unsplit_job(p_job uuid, p_token uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  v_part public.video_jobs := video_worker.lock_leased_job(p_job, p_token);
begin
  if v_part.id is null then
    return 'lost';
  end if;
  perform video_worker.drop_lease(v_part);
  perform video_worker.queue_whole(v_part.parent_id);
  return 'queued';
end
$$;

-- Held before its parts go, so that it may inherit one of their places. Precondition: it is split.
create function video_worker.queue_whole(p_parent uuid) returns void
language sql volatile set search_path = '' as $$
  update public.video_jobs j
  set status = 'queued', stage = null, progress = 0, eta_seconds = null, attempt = j.attempt - 1, whole = true, held = true
  where j.id = p_parent;
  select video_worker.end_split(p_parent)
$$;

-- Nothing else decides about a split job than the end of its parts. Where the last of these was deleted
-- (somebody clears the table of completed rows), nothing will: such a job is burned whole. It waits for no
-- lock; a job that it can't have now is looked at again at the next check-in.
create function video_worker.mend_splits() returns void
language plpgsql set search_path = '' as $$
declare
  v_job uuid;
begin
  for v_job in
    select s.job_id from video_worker.splits s
    where not exists (
      select from public.video_jobs c where c.parent_id = s.job_id and c.status in ('queued', 'processing'))
  loop
    perform from public.video_jobs j where j.id = v_job for no key update skip locked;
    -- Looked at again under the lock: it may have been ended, or a join have been added.
    continue when not found or not exists (
      select from video_worker.splits s
      where s.job_id = v_job and not exists (
        select from public.video_jobs c where c.parent_id = s.job_id and c.status in ('queued', 'processing')));
    perform video_worker.queue_whole(v_job);
  end loop;
end
$$;

-- One progress for all: what was done before, the segments' shares up to 90 %, and the join. It never
-- goes back, also when a segment begins anew; the estimate is made from what is really done. Not
-- written while somebody else holds the row, and only if it moved by a point: Realtime sends every change.
create function video_worker.show_progress(p_parent uuid) returns void
language plpgsql set search_path = '' as $$
declare
  v_split video_worker.splits;
  v_joining boolean;
  v_done double precision;
begin
  perform from public.video_jobs j where j.id = p_parent for no key update skip locked;
  if not found then
    return;
  end if;
  select * into v_split from video_worker.splits s where s.job_id = p_parent;
  select bool_or(c.segment is null and c.status = 'processing'),
         v_split.progress
           + (90 - v_split.progress) * sum(v_split.frames[c.segment + 1] * (c.progress / 100.0::double precision))
             / (select sum(f) from unnest(v_split.frames) f)
           + coalesce(sum(c.progress) filter (where c.segment is null), 0) / 10.0
  into v_joining, v_done
  from public.video_jobs c where c.parent_id = p_parent;
  update public.video_jobs j
  set stage = case when v_joining then 'upload' else 'render' end::public.video_job_stage,
      progress = greatest(j.progress, floor(least(v_done, 99))::smallint),
      eta_seconds = case when v_done > v_split.progress + 2 then
        extract(epoch from now() - v_split.split_at) * (100 - v_done) / (v_done - v_split.progress) end
  where j.id = p_parent
    and (j.progress < floor(least(v_done, 99)) or (j.stage = 'upload') is distinct from v_joining);
end
$$;

grant execute on function
  video_worker.split_job(uuid, uuid, jsonb),
  video_worker.unsplit_job(uuid, uuid)
to video_worker;
