-- The database itself: who owns it, and what the API roles may do in `public` before any migration.

do $$
begin
  execute format('alter database %I owner to postgres', current_database());
  execute format('grant all on database %I to dashboard_user', current_database());
end
$$;

-- Since 2026-05-30 a new project exposes no table or function on its own: there are no default
-- privileges for anon, authenticated and service_role, each grant is the migration's to make.
grant usage on schema public to postgres, anon, authenticated, service_role;
grant create on schema public to postgres;

create schema if not exists extensions;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to postgres, dashboard_user;

-- Empty: each table that is to be sent by postgres_changes is added by a migration.
create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
