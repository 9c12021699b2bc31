"""Reads the messages of Postgres's own output plugin, pgoutput, protocol version 1.

Source: PostgreSQL documentation, "Logical Replication Message Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Action = Literal["INSERT", "UPDATE", "DELETE"]
# A row as text, by column. A large value that an update did not touch is not in it.
Row = Mapping[str, str | None]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Transaction:
    id: int
    committed_at: datetime
    position: int  # of the commit in the write-ahead log


@dataclass(frozen=True)
class Change:
    """One row of one committed transaction. `old`: what the replica identity keeps, if sent."""

    schema: str
    table: str
    action: Action
    new: Row | None
    old: Row | None
    transaction: Transaction


class Decoder:
    """Remembers the relations that the server has described, and the transaction it is in."""

    def __init__(self) -> None:
        self._relations: dict[int, _Relation] = {}
        self._transaction: Transaction | None = None

    def read(self, message: bytes) -> Change | None:
        """The change that the message is; None for messages about the stream itself."""
        reader = _Reader(message)
        kind = reader.character()
        if kind == "B":
            position = reader.number(8)
            committed_at = _EPOCH + timedelta(microseconds=reader.number(8))
            self._transaction = Transaction(reader.number(4), committed_at, position)
        elif kind == "R":
            self._read_relation(reader)
        elif kind in "IUD":
            return self._read_change(reader, kind)
        return None

    def _read_relation(self, reader: _Reader) -> None:
        oid = reader.number(4)
        schema, table = reader.text(), reader.text()
        reader.number(1)  # replica identity
        columns = {}
        for _ in range(reader.number(2)):
            is_key = reader.number(1) == 1
            columns[reader.text()] = is_key
            reader.number(8)  # type and its modifier
        self._relations[oid] = _Relation(schema, table, columns)

    def _read_change(self, reader: _Reader, kind: str) -> Change:
        relation = self._relations[reader.number(4)]
        old = new = None
        while reader.is_left():
            part = reader.character()
            row = reader.row(list(relation.columns))
            if part == "N":
                new = row
            elif part == "K":  # the other columns are there, as nulls
                old = {name: row[name] for name, is_key in relation.columns.items() if is_key}
            else:
                old = row
        actions: dict[str, Action] = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}
        assert self._transaction is not None, "a change comes after the begin of its transaction"
        return Change(relation.schema, relation.table, actions[kind], new, old, self._transaction)


@dataclass(frozen=True)
class _Relation:
    schema: str
    table: str
    columns: dict[str, bool]  # in order; True where the column is part of the replica identity


class _Reader:
    def __init__(self, message: bytes) -> None:
        self._message = message
        self._position = 0

    def is_left(self) -> bool:
        return self._position < len(self._message)

    def character(self) -> str:
        return chr(self.number(1))

    def number(self, length: Literal[1, 2, 4, 8]) -> int:
        code = {1: ">B", 2: ">H", 4: ">I", 8: ">q"}[length]
        (value,) = struct.unpack_from(code, self._message, self._position)
        self._position += length
        return int(value)

    def text(self) -> str:
        end = self._message.index(0, self._position)
        value = self._message[self._position : end].decode()
        self._position = end + 1
        return value

    def row(self, columns: list[str]) -> dict[str, str | None]:
        row: dict[str, str | None] = {}
        for name in columns[: self.number(2)]:
            kind = self.character()
            if kind == "n":
                row[name] = None
            elif kind == "t":
                length = self.number(4)
                row[name] = self._message[self._position : self._position + length].decode()
                self._position += length
        return row
