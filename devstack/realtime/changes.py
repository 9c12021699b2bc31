"""postgres_changes: who has asked for which changes, and who of them may see one.

The rules are those of Realtime's own `realtime.apply_rls`: a row is selected again as the
subscriber; columns that the subscriber's role may not select are left out; deletions go to
everybody who has subscribed to the table, with no more than the key if the table has policies.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import psycopg

from devstack.database import REALTIME_ADMIN, Caller, Database
from devstack.realtime.pgoutput import Change, Row
from devstack.realtime.rows import (
    OPERATORS,
    Filter,
    Table,
    describe_table,
    filter_fits,
    is_visible,
    row_as_json,
)

PUBLICATION = "supabase_realtime"

_EVENTS = ("*", "INSERT", "UPDATE", "DELETE")
_MAX_ROW_BYTES = 1024**2
# Of a row that is larger than that, only values up to this size are sent.
_SMALL_VALUE_BYTES = 64

_log = logging.getLogger(__name__)
_ids = count(1)


class SubscriptionError(Exception):
    """The parameters fit no table, or the subscriber may not filter by that column."""


class Subscriber(Protocol):
    @property
    def caller(self) -> Caller: ...

    def send_change(self, ids: list[int], data: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Binding:
    """One entry of `config.postgres_changes`; `params` is what the client gave."""

    id: int
    params: Mapping[str, Any]
    event: str
    schema: str
    table: str
    filter: Filter | None

    def matches(self, change: Change) -> bool:
        return (
            self.event in ("*", change.action)
            and self.schema in ("*", change.schema)
            and self.table in ("*", change.table)
        )


def read_binding(params: Mapping[str, Any]) -> Binding:
    """Raises SubscriptionError."""
    event = str(params.get("event", "")).upper()
    schema, table = params.get("schema"), params.get("table") or "*"
    if event not in _EVENTS or not isinstance(schema, str) or not isinstance(table, str):
        raise _refused(params, "no subscription params provided")
    wanted = None
    if text := params.get("filter"):
        match = re.fullmatch(r"([^=]+)=([a-z]+)\.(.*)", str(text), re.DOTALL)
        if match is None or match[2] not in OPERATORS or table == "*":
            raise _refused(params, f"error parsing `filter` params: {text}")
        wanted = Filter(*match.groups())
    return Binding(next(_ids), params, event, schema, table, wanted)


@dataclass(frozen=True)
class _Subscription:
    bindings: list[Binding]
    since: int  # the position in the write-ahead log


class Changes:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscriptions: dict[Subscriber, _Subscription] = {}

    async def subscribe(self, subscriber: Subscriber, bindings: list[Binding]) -> None:
        """From now on; for a subscriber that is one already it checks the bindings anew.

        Raises SubscriptionError; then it has nothing.
        """
        try:
            for binding in bindings:
                await self._check(binding, subscriber.caller.role)
        except SubscriptionError:
            self.unsubscribe(subscriber)
            raise
        if subscriber not in self._subscriptions:
            self._subscriptions[subscriber] = _Subscription(bindings, await self._position())

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscriptions.pop(subscriber, None)

    async def publish(self, change: Change) -> None:
        """Sends a change to those who have subscribed to it and may see it."""
        wanted = [
            (subscriber, binding)
            for subscriber, subscription in self._subscriptions.items()
            for binding in subscription.bindings
            if change.transaction.position >= subscription.since and binding.matches(change)
        ]
        if not wanted:
            return
        try:
            await self._publish(change, wanted)
        except psycopg.OperationalError:
            raise
        except psycopg.Error:
            # A policy that fails, a type that was dropped: one change is lost, as in Realtime.
            _log.exception("a change of %s.%s was not sent", change.schema, change.table)

    async def _publish(self, change: Change, wanted: list[tuple[Subscriber, Binding]]) -> None:
        roles = {subscriber.caller.role for subscriber, _ in wanted}
        async with self._database.transaction(REALTIME_ADMIN) as connection:
            table = await describe_table(connection, change.schema, change.table, sorted(roles))
            if table is None:
                return
            row = change.old if change.new is None else change.new
            old = _old_row(table, change)
            assert row is not None, "every action has one of the two"
            record = await row_as_json(connection, table, row)
            old_record = await row_as_json(connection, table, old) if old else {}
            receivers: defaultdict[Subscriber, list[int]] = defaultdict(list)
            for subscriber, binding in wanted:
                if binding.filter is None or await filter_fits(
                    connection, table, binding.filter, row
                ):
                    receivers[subscriber].append(binding.id)
        data = {role: _data(change, table, role, record, old_record) for role in roles}
        for subscriber, ids in receivers.items():
            caller = subscriber.caller
            is_guarded = "record" in data[caller.role] and table.has_rls
            if not is_guarded or await self._may_see(table, row, caller):
                subscriber.send_change(ids, data[caller.role])

    async def _may_see(self, table: Table, row: Row, caller: Caller) -> bool:
        async with self._database.transaction(REALTIME_ADMIN) as connection:
            return await is_visible(connection, table, row, caller)

    async def _position(self) -> int:
        """Where the write-ahead log ends: what has committed, has committed before."""
        async with self._database.transaction(REALTIME_ADMIN) as connection:
            cursor = await connection.execute(
                "select (pg_current_wal_insert_lsn() - '0/0')::bigint as position"
            )
            return int((await cursor.fetchone() or {})["position"])

    async def _check(self, binding: Binding, role: str) -> None:
        try:
            await self._try(binding, role)
        except psycopg.Error as error:
            reason = f"{error.sqlstate} {error.diag.message_primary}"
            raise _refused(binding.params, reason) from error

    async def _try(self, binding: Binding, role: str) -> None:
        async with self._database.transaction(REALTIME_ADMIN) as connection:
            cursor = await connection.execute(
                "select from pg_publication_tables where pubname = %s"
                " and %s::text in ('*', schemaname) and %s::text in ('*', tablename)",
                [PUBLICATION, binding.schema, binding.table],
            )
            if await cursor.fetchone() is None:
                raise _refused(binding.params, "Please check Realtime is enabled for the table")
            if binding.filter is None:
                return
            column = binding.filter.column
            table = await describe_table(connection, binding.schema, binding.table, [role])
            if table is None or column not in table.selectable[role]:
                raise _refused(binding.params, f"invalid column for filter {column}")
            await filter_fits(connection, table, binding.filter, {column: None})


def _refused(params: Mapping[str, Any], reason: str) -> SubscriptionError:
    given = ", ".join(f"{name}: {value}" for name, value in params.items())
    return SubscriptionError(
        f"Unable to subscribe to changes with given parameters. {reason}: [{given}]"
    )


def _old_row(table: Table, change: Change) -> Row | None:
    """What is known of the row before. A key that stays the same pgoutput does not repeat."""
    if change.action != "UPDATE" or change.old is not None:
        return change.old
    assert change.new is not None
    return {column.name: change.new[column.name] for column in table.key}


def _data(
    change: Change, table: Table, role: str, record: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    """The message for subscribers of this role."""
    data: dict[str, Any] = {
        "schema": change.schema,
        "table": change.table,
        "type": change.action,
        "errors": None,
    }
    selectable = table.selectable[role]
    if change.action != "DELETE":
        if not table.key:
            return data | {"errors": ["Error 400: Bad Request, no primary key"]}
        if any(column.name not in selectable for column in table.key):
            return data | {"errors": ["Error 401: Unauthorized"]}
    committed_at = change.transaction.committed_at.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    data["commit_timestamp"] = committed_at
    data["columns"] = [
        {"name": column.name, "type": column.type}
        for column in table.columns.values()
        if column.name in selectable
    ]
    old_names: Iterable[str] = selectable
    if change.action == "DELETE" and table.has_rls:
        old_names = [column.name for column in table.key if column.name in selectable]
    rows = [row for row in (change.new, change.old) if row]
    is_large = sum(len(value or "") for row in rows for value in row.values()) > _MAX_ROW_BYTES
    if is_large:
        data["errors"] = ["Error 413: Payload Too Large"]
    if change.action != "DELETE":
        data["record"] = _only(record, selectable, is_large)
    if change.action != "INSERT":
        data["old_record"] = _only(old, old_names, is_large)
    return data


def _only(record: Mapping[str, Any], names: Iterable[str], small_only: bool) -> dict[str, Any]:
    return {
        name: value
        for name, value in record.items()
        if name in names and not (small_only and len(str(value)) > _SMALL_VALUE_BYTES)
    }
