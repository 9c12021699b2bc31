"""Writes the matrix of rights into docs/security.md, from the database itself: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg

FOLDER = Path(__file__).parent
PAGE = FOLDER / "security.md"
ROLES = ("anon", "authenticated", "service_role", "video_worker")
SCHEMAS = ("public", "video_worker", "video_admin")

TABLES = """
select c.oid::regclass::text as name, r.role,
       concat_ws(' ',
         case when has_table_privilege(r.role, c.oid, 'select') then 'S' end,
         case when has_table_privilege(r.role, c.oid, 'insert') then 'I'
              when has_any_column_privilege(r.role, c.oid, 'insert') then 'I(' || (
                select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0
                  and has_column_privilege(r.role, c.oid, a.attnum, 'insert')) || ')' end,
         case when has_any_column_privilege(r.role, c.oid, 'update') then 'U' end,
         case when has_table_privilege(r.role, c.oid, 'delete') then 'D' end) as rights
from pg_class c cross join unnest(%s::text[]) r(role)
where c.relnamespace::regnamespace::text = any (%s) and c.relkind in ('r', 'v', 'p')
order by 1
"""
FUNCTIONS = """
select p.oid::regproc::text as name, r.role,
       case when has_function_privilege(r.role, p.oid, 'execute')
             and has_schema_privilege(r.role, p.pronamespace, 'usage')
            then 'X' else '' end as rights
from pg_proc p cross join unnest(%s::text[]) r(role)
where p.pronamespace::regnamespace::text = any (%s) and p.prorettype <> 'trigger'::regtype
order by 1
"""
POLICIES = """
select schemaname || '.' || tablename as name, policyname, cmd,
       array_to_string(roles, ', ') as roles,
       coalesce(qual, with_check) as rule
from pg_policies
where schemaname in ('public', 'video_worker', 'video_admin') or policyname like 'video worker:%%'
   or policyname like '%%video jobs'
order by 1, 2
"""


def security_page(dsn: str) -> str:
    """The page with the rights of the database at ``dsn``."""
    with psycopg.connect(dsn) as connection:
        rights = [
            *connection.execute(TABLES, [list(ROLES), list(SCHEMAS)]).fetchall(),
            *connection.execute(FUNCTIONS, [list(ROLES), list(SCHEMAS)]).fetchall(),
        ]
        policies = connection.execute(POLICIES).fetchall()
    page = PAGE.read_text(encoding="utf-8")
    page = _put(page, "grants", _matrix(rights))
    rows = [
        f"| `{table}` | {name} | {command.lower()} | {roles} | `{' '.join(rule.split())}` |"
        for table, name, command, roles, rule in policies
    ]
    head = ["| table | policy | for | role | where |", "|---|---|---|---|---|"]
    return _put(page, "policies", "\n".join([*head, *rows]))


def _matrix(rights: list[tuple[Any, ...]]) -> str:
    by_object: dict[str, dict[str, str]] = {}
    for name, role, what in rights:
        by_object.setdefault(name, {})[role] = what
    lines = [f"| | {' | '.join(f'`{role}`' for role in ROLES)} |", "|---|---|---|---|---|"]
    for name, roles in by_object.items():
        if any(roles.values()):
            cells = [roles[role].replace("_", r"\_") for role in ROLES]
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _put(page: str, name: str, text: str) -> str:
    pattern = rf"(?s)(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{text}\n{found[2]}", page)
