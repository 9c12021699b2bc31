-- On hosted Supabase postgres may put policies and triggers on the platform's tables, and change
-- nothing else about them. Here postgres is a member of their owners (see 01_roles.sql), so that
-- `alter table storage.objects ...`, refused there, would pass here: a migration that works only on
-- this stack. This refuses it with the same error.

create function extensions.refuse_to_change_platform_schemas() returns event_trigger
language plpgsql as $$
declare
  change record;
begin
  if current_user <> 'postgres' then
    return;
  end if;
  for change in
    select * from pg_event_trigger_ddl_commands()
    where schema_name in ('auth', 'storage', 'realtime')
      and command_tag not in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER', 'GRANT', 'REVOKE')
  loop
    raise insufficient_privilege
      using message = format('must be owner of %s %s', change.object_type, change.object_identity);
  end loop;
end
$$;

create event trigger refuse_to_change_platform_schemas on ddl_command_end
  execute function extensions.refuse_to_change_platform_schemas();
