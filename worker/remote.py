"""What an operator does with a project from outside: send a job, follow it, look at jobs."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from postgrest import APIError
from supabase import AsyncClient, AsyncClientOptions
from supabase_auth.errors import AuthError

from worker.errors import VideoWorkerError
from worker.media.options import read_options
from worker.settings import ProjectSettings
from worker.storage.client import Progress, Storage
from worker.work import RENDERS, SUBTITLES, VIDEOS

POLL_SECONDS = 0.5
USERS_PER_PAGE = 200
FINAL = ("completed", "failed", "cancelled")
LIST_COLUMNS = "id,status,stage,progress,attempt,input_path,error_code,created_at,finished_at"

Row = dict[str, Any]


class RemoteError(VideoWorkerError):
    """The project refused, or could not be reached; says why."""


class Project:
    """A Supabase project, with its secret key: it sees every user's jobs."""

    def __init__(self, settings: ProjectSettings) -> None:
        url = str(settings.supabase_url)
        key = settings.supabase_secret_key.get_secret_value()
        self._http = httpx.AsyncClient(timeout=30.0, follow_redirects=True)
        self._client = AsyncClient(
            url, key, AsyncClientOptions(httpx_client=self._http, persist_session=False)
        )
        self.storage = Storage(url, key)

    async def close(self) -> None:
        await self.storage.close()
        await self._http.aclose()

    async def user_id(self, who: str) -> str:
        """The id of the user ``who``: an id or an e-mail address."""
        try:
            return str(UUID(who))
        except ValueError:
            pass
        page = 1
        try:
            while users := await self._client.auth.admin.list_users(page, USERS_PER_PAGE):
                for user in users:
                    if user.email == who.lower():
                        return user.id
                page += 1
        except (AuthError, httpx.HTTPError) as error:
            raise RemoteError(f"The users could not be listed: {error}") from error
        raise RemoteError(f"No user has the e-mail address {who}.")

    async def send(
        self,
        user_id: str,
        video: Path,
        subtitles: Path,
        options: dict[str, Any],
        on_upload: Progress,
    ) -> Row:
        """Upload both files into the user's folders and insert the job; returns its row."""
        read_options(options)
        video_path = f"{user_id}/{uuid4()}{video.suffix.lower()}"
        subtitle_path = f"{user_id}/{uuid4()}{subtitles.suffix.lower()}"
        guessed = mimetypes.guess_type(video.name)[0] or ""
        video_type = guessed if guessed.startswith("video/") else "application/octet-stream"
        await self.storage.upload(
            SUBTITLES, subtitle_path, subtitles, "text/plain", lambda done, total: None
        )
        await self.storage.upload(VIDEOS, video_path, video, video_type, on_upload)
        row = {
            "user_id": user_id,
            "input_path": video_path,
            "subtitle_path": subtitle_path,
            "options": options,
        }
        return (await self._rows(self._client.table("video_jobs").insert(row)))[0]

    async def follow(self, job_id: str) -> AsyncIterator[Row]:
        """The job's row now and after every change, until it is final."""
        last: Row = {}
        while last.get("status") not in FINAL:
            row = await self.job(job_id)
            if row != last:
                yield row
                last = row
            else:
                await asyncio.sleep(POLL_SECONDS)

    async def job(self, job_id: str) -> Row:
        try:
            UUID(job_id)
        except ValueError as error:
            raise RemoteError(f"{job_id!r} is not the id of a job.") from error
        rows = await self._rows(self._client.table("video_jobs").select("*").eq("id", job_id))
        if not rows:
            raise RemoteError(f"There is no job {job_id}.")
        return rows[0]

    async def jobs(self, limit: int, status: str | None = None) -> list[Row]:
        """The newest jobs, newest first."""
        query = self._client.table("video_jobs").select(LIST_COLUMNS)
        if status:
            query = query.eq("status", status)
        return await self._rows(query.order("created_at", desc=True).limit(limit))

    async def history(self, job_id: str) -> list[Row]:
        """Every change of the job's status and stage, oldest first."""
        return await self._rows(self._client.rpc("video_job_history", {"job_id": job_id}))

    async def save_result(self, row: Row, target: Path) -> None:
        """Download the video of a completed job."""
        path = row["output_path"]
        info = await self.storage.info(RENDERS, path)
        await self.storage.download(RENDERS, path, info, target, lambda done, total: None)

    async def _rows(self, query: Any) -> list[Row]:
        try:
            rows: list[Row] = (await query.execute()).data
        except APIError as error:
            said = [str(part) for part in (error.code, error.message, error.details) if part]
            raise RemoteError(f"The Data API refused: {': '.join(said)}") from error
        except httpx.HTTPError as error:
            raise RemoteError(f"The project could not be reached: {error!r}") from error
        return rows
