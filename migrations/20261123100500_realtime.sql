-- Progress reaches the browser both ways: postgres_changes on the table just works, and a small
-- broadcast on the user's private topic is what scales. Both honour who may see the row.

set lock_timeout = '5s';
set statement_timeout = '60s';

do $$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime')
    and not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'video_jobs')
  then
    alter publication supabase_realtime add table public.video_jobs;
  end if;
end
$$;

-- What the user's page shows of a job; the rest of the row is read when it is wanted.
create function video_worker.broadcast_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- Not every Postgres has Realtime. realtime.send itself never fails the transaction.
  if to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null then
    perform realtime.send(
      jsonb_build_object(
        'id', new.id, 'status', new.status, 'stage', new.stage, 'progress', new.progress,
        'eta_seconds', new.eta_seconds, 'attempt', new.attempt, 'output_path', new.output_path,
        'poster_path', new.poster_path, 'error_code', new.error_code, 'error_message', new.error_message,
        'cancel_requested_at', new.cancel_requested_at, 'updated_at', new.updated_at),
      'video_job', 'video_jobs:' || new.user_id, true);
  end if;
  return null;
end
$$;
revoke all on function video_worker.broadcast_change() from public, anon, authenticated, service_role;

create trigger video_jobs_broadcast_insert after insert on public.video_jobs
  for each row when (new.parent_id is null) execute function video_worker.broadcast_change();
create trigger video_jobs_broadcast_change after update on public.video_jobs
  for each row when (
    new.parent_id is null and (old.status, old.stage, old.progress, old.eta_seconds, old.cancel_requested_at)
    is distinct from (new.status, new.stage, new.progress, new.eta_seconds, new.cancel_requested_at))
  execute function video_worker.broadcast_change();

do $$
begin
  if to_regclass('realtime.messages') is not null then
    create policy "users hear of their own video jobs" on realtime.messages
      for select to authenticated
      using (extension = 'broadcast' and (select realtime.topic()) = 'video_jobs:' || (select auth.uid())::text);
  end if;
end
$$;
