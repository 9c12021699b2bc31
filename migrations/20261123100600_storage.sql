-- Three private buckets, each with a folder per user: <bucket>/<user id>/…
-- Users write videos and subtitles; only the worker writes renders.
-- It may be run again, to bring back a bucket or a policy that was removed.

set lock_timeout = '5s';
set statement_timeout = '60s';

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
  ('videos', 'videos', false, 5368709120, array['video/*', 'application/octet-stream']),
  ('subtitles', 'subtitles', false, 5242880, null),
  ('renders', 'renders', false, null, null)
on conflict (id) do nothing;

drop policy if exists "video worker: users read their own files" on storage.objects;
create policy "video worker: users read their own files" on storage.objects
  for select to authenticated
  using (bucket_id in ('videos', 'subtitles', 'renders') and (storage.foldername(name))[1] = (select auth.uid())::text);

drop policy if exists "video worker: users upload into their own folder" on storage.objects;
create policy "video worker: users upload into their own folder" on storage.objects
  for insert to authenticated
  with check (bucket_id in ('videos', 'subtitles') and (storage.foldername(name))[1] = (select auth.uid())::text);

drop policy if exists "video worker: users replace their own uploads" on storage.objects;
create policy "video worker: users replace their own uploads" on storage.objects
  for update to authenticated
  using (bucket_id in ('videos', 'subtitles') and (storage.foldername(name))[1] = (select auth.uid())::text)
  with check (bucket_id in ('videos', 'subtitles') and (storage.foldername(name))[1] = (select auth.uid())::text);

drop policy if exists "video worker: users delete their own uploads" on storage.objects;
create policy "video worker: users delete their own uploads" on storage.objects
  for delete to authenticated
  using (bucket_id in ('videos', 'subtitles') and (storage.foldername(name))[1] = (select auth.uid())::text);
