-- The roles of a Supabase project. Roles belong to the whole server, this file runs once per
-- database: a role that exists is left as it is. All have the password of postgres.py.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('supabase_admin',          'superuser login createdb createrole replication bypassrls'),
      -- What migrations and direct connections run as. Not a superuser, as on hosted Supabase.
      ('postgres',                'login createdb createrole replication bypassrls'),
      -- What a request runs as, by its JWT's `role`.
      ('anon',                    'nologin'),
      ('authenticated',           'nologin'),
      ('service_role',            'nologin bypassrls'),
      -- What the services log in as.
      ('authenticator',           'login noinherit'),
      ('supabase_auth_admin',     'login noinherit createrole'),
      ('supabase_storage_admin',  'login noinherit createrole'),
      ('supabase_realtime_admin', 'nologin noinherit'),
      ('dashboard_user',          'nologin createdb createrole replication')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I with %s password %L', wanted.name, wanted.attributes, 'postgres');
    end if;
  end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
-- Storage acts as the caller, too.
grant authenticator to supabase_storage_admin;
-- A migration may grant to the API roles, and `set role` to them.
grant anon, authenticated, service_role to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path to "$user", public, extensions;
alter role supabase_admin set search_path to "$user", public, auth, extensions;
alter role supabase_auth_admin set search_path to auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout to 60000;
alter role supabase_storage_admin set search_path to storage;

-- On hosted Supabase an extension (supautils) lets postgres write policies on tables that it does
-- not own. Membership is how plain Postgres can say it; 06_guard.sql takes the rest of an owner's
-- rights back. Before 16 there is no way to keep `set role` out of a membership.
do $$
begin
  execute 'grant supabase_storage_admin, supabase_realtime_admin to postgres'
    || case when current_setting('server_version_num')::int >= 160000
            then ' with inherit true, set false' else '' end;
end
$$;
