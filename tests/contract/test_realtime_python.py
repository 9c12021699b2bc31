"""Realtime, driven by the asyncio client of `supabase`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from realtime import RealtimePostgresChangesListenEvent
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from .conftest import DEADLINE_SECONDS, Project, User


@pytest.fixture
async def supabase(project: Project, ada: User) -> AsyncIterator[AsyncClient]:
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS) as connections:
        options = AsyncClientOptions(auto_refresh_token=False, httpx_client=connections)
        client = await acreate_client(project.url, project.publishable_key, options)
        await client.realtime.set_auth(ada.access_token)
        yield client
        await client.remove_all_channels()
        await client.realtime.close()


async def test_supabase_py_hears_of_changes(supabase: AsyncClient, ada: User, notes: str) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    ready = asyncio.Event()
    channel = supabase.channel("changes")
    every = RealtimePostgresChangesListenEvent.All
    channel.on_postgres_changes(every, heard.put_nowait, table=notes, filter="stars=eq.88")
    channel.on_system(lambda message: ready.set())
    async with asyncio.timeout(DEADLINE_SECONDS):
        await channel.subscribe()
        await ready.wait()
        row: Any = ada.client.table(notes).insert({"title": "one", "stars": 88}).execute().data[0]
        inserted = (await heard.get())["data"]
        assert (inserted["type"], inserted["record"]) == ("INSERT", row)
        ada.client.table(notes).delete().eq("id", row["id"]).execute()


async def test_supabase_py_speaks_and_hears_in_a_private_channel(
    supabase: AsyncClient, room: str
) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    config: Any = {"config": {"private": True, "broadcast": {"ack": False, "self": True}}}
    channel = supabase.channel(room, config)
    channel.on_broadcast("note", heard.put_nowait)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await channel.subscribe()
        await channel.send_broadcast("note", {"n": 1})
        assert (await heard.get())["payload"] == {"n": 1}
