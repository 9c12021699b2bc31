"""All checks, in the order in which their faults hide each other."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import ValidationError

from worker.doctor.database import check_database
from worker.doctor.finding import Finding, error
from worker.doctor.host import check_disk, check_port
from worker.doctor.media import check_media
from worker.doctor.project import check_project
from worker.doctor.storage import check_storage
from worker.settings import Settings
from worker.storage.client import Storage
from worker.workspace import OUT_OF_SPACE


async def examine() -> AsyncIterator[Finding]:
    """Every finding, as it is found."""
    try:
        settings = Settings()
    except ValidationError as fault:
        for problem in fault.errors(include_url=False, include_input=False):
            variable = ".".join(map(str, problem["loc"]))
            yield error(
                "settings",
                f"{variable}: {problem['msg']}",
                "The worker does not start.",
                f"Set {variable} in the environment or .env (docs/settings.md)",
            )
        return
    for finding in check_project(settings):
        yield finding
    async for finding in check_database(settings):
        yield finding
    if settings.health_port:
        yield check_port(settings.health_port)
    try:
        settings.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=settings.work_dir, prefix="doctor-") as name:
            async for finding in _check_with_files(settings, Path(name)):
                yield finding
    except OSError as fault:
        yield error(
            "host.disk",
            f"WORKER_WORK_DIR can't be used: {fault}; what needs files was not checked",
            "Jobs keep their files there.",
            "Make room, or set WORKER_WORK_DIR to a larger disk"
            if fault.errno in OUT_OF_SPACE
            else "Set WORKER_WORK_DIR to a folder that this user may write",
        )


async def _check_with_files(settings: Settings, folder: Path) -> AsyncIterator[Finding]:
    yield check_disk(settings, folder)
    storage = Storage(str(settings.supabase_url), settings.supabase_secret_key.get_secret_value())
    try:
        async for finding in check_storage(storage, folder):
            yield finding
    finally:
        await storage.close()
    async for finding in check_media(settings, folder):
        yield finding
