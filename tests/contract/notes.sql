-- What the tests of the API are about. `notes_` is replaced by a name of the run's own.
create table notes_ (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  title text not null check (title <> ''),
  slug text unique,
  stars int not null default 3,
  tags text[] not null default '{}',
  data jsonb,
  created_at timestamptz not null default now()
);
alter table notes_ enable row level security;
grant select, insert, update, delete on notes_ to authenticated, service_role;
create policy own on notes_ to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

alter publication supabase_realtime add table notes_;

create function notes__add(a int, b int default 10) returns int
  language sql immutable as 'select a + b';
create function notes__mine(min_stars int default 0) returns setof notes_
  language sql stable as 'select * from notes_ where stars >= min_stars';
create function notes__titles() returns setof text
  language sql stable as 'select title from notes_ order by title';
create function notes__whoami() returns table (role text, user_id uuid, method text)
  language sql stable as $$
    select current_user::text, auth.uid(), current_setting('request.method', true)
  $$;
create function notes__nothing() returns void language sql as '';
create function notes__fail(state text) returns void language plpgsql as $$
  begin raise exception 'I refuse' using errcode = state, detail = 'a detail', hint = 'a hint'; end
$$;
create function notes__fail_in_full() returns void language plpgsql as $$
  begin
    raise sqlstate 'PGRST' using
      message = '{"code": "quota", "message": "Too many", "details": "of them", "hint": "wait"}',
      detail = '{"status": 429, "headers": {"Retry-After": "7"}}';
  end
$$;
create function notes__sleep() returns void language sql as 'select pg_sleep(30)';
create function notes__timeout() returns text language sql stable as
  $$ select current_setting('statement_timeout') $$;
