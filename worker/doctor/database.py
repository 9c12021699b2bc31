"""The two connections to Postgres: can they be made, are they safe, may the role do its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg

from worker.doctor.connection import check_addresses, connect, refusal
from worker.doctor.finding import Finding, error, ok, warning
from worker.doctor.project import is_local
from worker.queue.listener import CHANNEL
from worker.queue.migrations import shipped_migrations
from worker.settings import Settings

NOTIFY_SECONDS = 5.0
SKEW_SECONDS = 5.0
FUNCTIONS = ("claim_jobs", "heartbeat", "complete_jobs", "fail_job", "release_job", "check_in")


async def check_database(settings: Settings) -> AsyncIterator[Finding]:
    url = str(settings.database_url)
    listen_url = str(settings.listen_database_url or settings.database_url)
    for finding in check_addresses(settings):
        yield finding
    try:
        async with await connect(url) as connection:
            for check in (check_encryption, _role, _schema, _policies, _clock):
                async for finding in check(connection):
                    yield finding
            async for finding in _notifications(connection, listen_url):
                yield finding
    except psycopg.Error as refused:
        yield refusal("database.connect", "DATABASE_URL", refused)


async def check_encryption(connection: psycopg.AsyncConnection) -> AsyncIterator[Finding]:
    host = connection.info.host
    if connection.pgconn.ssl_in_use:
        mode = connection.info.get_parameters().get("sslmode", "prefer")
        if mode in ("verify-full", "verify-ca"):
            yield ok(
                "database.tls", f"encrypted, and the server's certificate is verified ({mode})"
            )
        else:
            yield warning(
                "database.tls",
                f"encrypted, but the server's certificate is not verified (sslmode={mode})",
                "Who stands in between could pretend to be the database.",
                "?sslmode=verify-full&sslrootcert=<the certificate from Dashboard → Database →"
                " Settings> at the end of DATABASE_URL",
            )
    elif is_local(host) or host.startswith("/"):
        yield ok("database.tls", "not encrypted, on this machine")
    else:
        yield error(
            "database.tls",
            f"the connection to {host} is not encrypted",
            "The password and the queue cross the network in clear text.",
            "?sslmode=verify-full at the end of DATABASE_URL, and SSL enforced in Dashboard →"
            " Database → Settings",
        )


async def _role(connection: psycopg.AsyncConnection) -> AsyncIterator[Finding]:
    cursor = await connection.execute(
        """
        select current_user, rolsuper or rolbypassrls or rolcreaterole,
               to_regnamespace('video_worker') is not null
        from pg_catalog.pg_roles where rolname = current_user
        """
    )
    row = await cursor.fetchone()
    assert row
    user, mighty, has_schema = row
    if not has_schema:
        return  # said by the check of the schema
    cursor = await connection.execute(
        """
        select p.proname from pg_catalog.pg_proc p
        where p.pronamespace = to_regnamespace('video_worker') and p.proname = any (%s)
          and (not has_function_privilege(p.oid, 'execute')
               or not has_schema_privilege(p.pronamespace, 'usage'))
        """,
        [list(FUNCTIONS)],
    )
    forbidden = [name for (name,) in await cursor.fetchall()]
    if forbidden:
        yield error(
            "database.role",
            f"role {user} may not execute {', '.join(sorted(forbidden))}",
            "Every claim fails with: permission denied (42501).",
            "Log in as role video_worker; its password: alter role video_worker password '…'",
        )
    elif mighty or user == "postgres":
        yield warning(
            "database.role",
            f"the worker logs in as {user}",
            "It needs nothing but the queue's functions; whoever takes over the worker would have"
            " the whole database.",
            "As role postgres: alter role video_worker password '…'; then use video_worker in"
            " DATABASE_URL",
        )
    else:
        yield ok("database.role", f"role {user}, with no more rights than it needs")


async def _schema(connection: psycopg.AsyncConnection) -> AsyncIterator[Finding]:
    check = "database.schema"
    mend = "video-worker migrate, with DATABASE_URL of role postgres; or supabase db push"
    try:
        row = await (await connection.execute("select video_worker.schema_version()")).fetchone()
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedFunction):
        yield error(check, "the database has no queue", "No migration was applied yet.", mend)
        return
    except psycopg.errors.InsufficientPrivilege:
        return  # said by the check of the role
    assert row
    missing = [m for m in shipped_migrations() if m.version > row[0]]
    if missing:
        names = ", ".join(f"{m.version}_{m.name}" for m in missing)
        yield error(
            check,
            f"migrations are missing: {names}",
            "This version of the worker needs them.",
            mend,
        )
    else:
        yield ok(check, f"version {row[0]}")


async def _policies(connection: psycopg.AsyncConnection) -> AsyncIterator[Finding]:
    cursor = await connection.execute(
        """
        select count(*) filter (where cmd in ('SELECT', 'ALL')),
               count(*) filter (where cmd in ('INSERT', 'ALL'))
        from pg_catalog.pg_policies
        where schemaname = 'storage' and tablename = 'objects'
          and policyname like 'video worker:%'
        """
    )
    row = await cursor.fetchone()
    assert row
    if all(row):
        yield ok("storage.policies", "users reach their own folders")
    else:
        yield error(
            "storage.policies",
            "the policies 'video worker: …' on storage.objects are missing",
            "Users can't upload into their folders, or can't read their results: new row violates"
            " row-level security policy.",
            "Apply migrations/20261123100600_storage.sql again, in Studio's SQL editor",
        )


async def _clock(connection: psycopg.AsyncConnection) -> AsyncIterator[Finding]:
    before = time.time()
    row = await (
        await connection.execute("select extract(epoch from clock_timestamp())")
    ).fetchone()
    assert row
    skew = (before + time.time()) / 2 - float(row[0])
    if abs(skew) > SKEW_SECONDS:
        yield warning(
            "host.clock",
            f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the"
            " database's",
            "Leases hold on the database's clock and are safe, but signed URLs and tokens may seem"
            " expired or not yet valid, and log lines don't line up.",
            "timedatectl set-ntp true",
        )
    else:
        yield ok("host.clock", f"within {max(1, round(abs(skew)))} s of the database's")


async def _notifications(
    sender: psycopg.AsyncConnection, listen_url: str
) -> AsyncIterator[Finding]:
    """Send a notification through the query connection and wait for it on the other."""
    check, payload = "database.notify", f"doctor {uuid4()}"
    try:
        async with await connect(listen_url) as listener:
            await listener.execute(f"listen {CHANNEL}")
            sent = time.monotonic()
            await sender.execute("select pg_notify(%s, %s)", [CHANNEL, payload])
            async with asyncio.timeout(NOTIFY_SECONDS):
                async for notification in listener.notifies():
                    if notification.payload == payload:
                        break
            milliseconds = (time.monotonic() - sent) * 1000
            yield ok(check, f"a notification arrived within {milliseconds:.0f} ms")
    except psycopg.Error as refused:
        yield refusal("database.listen", "LISTEN_DATABASE_URL", refused)
    except TimeoutError:
        yield warning(
            check,
            f"a notification did not arrive within {NOTIFY_SECONDS:.0f} s",
            "A transaction pooler is in between, or LISTEN_DATABASE_URL leads to another database"
            " or a read replica: jobs start at the next poll, about 2 s later.",
            "Set LISTEN_DATABASE_URL to the session pooler or the direct host (port 5432) of the"
            " same database",
        )
