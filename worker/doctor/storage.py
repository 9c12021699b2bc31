"""Storage: the buckets, and a real object there and back."""

from __future__ import annotations

import filecmp
import math
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

from worker.doctor.finding import Finding, error, ok, warning
from worker.doctor.project import GET_KEY
from worker.errors import JobError, size
from worker.storage.client import Bucket, Storage
from worker.work import RENDERS, SUBTITLES, VIDEOS

PROBE_BYTES = 7_000_000
"""More than one chunk of a resumable upload."""


async def check_storage(storage: Storage, folder: Path) -> AsyncIterator[Finding]:
    try:
        buckets = {bucket.name: bucket for bucket in await storage.buckets()}
    except JobError as fault:
        yield _refused("storage.reach", "Storage can't be used", fault)
        return
    found = [*_missing(buckets), *_judge(buckets)]
    for finding in found or [ok("storage.buckets", ", ".join((VIDEOS, SUBTITLES, RENDERS)))]:
        yield finding
    if RENDERS in buckets:
        async for finding in _there_and_back(storage, folder):
            yield finding


def _missing(buckets: dict[str, Bucket]) -> Iterator[Finding]:
    missing = [name for name in (VIDEOS, SUBTITLES, RENDERS) if name not in buckets]
    if missing:
        yield error(
            "storage.buckets",
            f"there is no bucket {', '.join(missing)}, or this key can't see it",
            "Uploads or results have no place: Bucket not found.",
            "video-worker migrate; if the database is up to date: migrations/"
            "20261123100600_storage.sql again, in Studio's SQL editor",
        )


def _judge(buckets: dict[str, Bucket]) -> Iterator[Finding]:
    for name, bucket in buckets.items():
        if name in (VIDEOS, SUBTITLES, RENDERS) and bucket.public:
            yield error(
                "storage.public",
                f"bucket {name} is public",
                "Whoever knows or guesses an address sees other people's videos.",
                f"update storage.buckets set public = false where id = '{name}'",  # noqa: S608
            )
    limits = [bucket.size_limit for bucket in map(buckets.get, (RENDERS, VIDEOS)) if bucket]
    if len(limits) == 2 and limits[0] and limits[0] < (limits[1] or math.inf):
        yield warning(
            "storage.limit",
            f"bucket {RENDERS} takes no object above {size(limits[0])}, bucket {VIDEOS} does",
            "A result may be larger than its input; then the job fails with output_too_large.",
            f"update storage.buckets set file_size_limit = null where id = '{RENDERS}'",  # noqa: S608
        )


async def _there_and_back(storage: Storage, folder: Path) -> AsyncIterator[Finding]:
    """Upload 7 MB by the resumable protocol, fetch them, compare, remove."""
    prefix = f"doctor/{uuid4()}"
    path, sent, received = f"{prefix}/probe.bin", folder / "probe.bin", folder / "back.bin"
    sent.write_bytes(secrets.token_bytes(PROBE_BYTES))
    step = "upload"
    started = time.monotonic()
    try:
        await storage.upload(RENDERS, path, sent, "application/octet-stream", _ignore)
        step = "download"
        info = await storage.info(RENDERS, path)
        await storage.download(RENDERS, path, info, received, _ignore)
        step = "removal"
        await storage.remove_folder(RENDERS, prefix)
    except JobError as fault:
        yield _refused(f"storage.{step}", f"the {step} of a 7 MB object failed", fault)
        return
    if not filecmp.cmp(sent, received, shallow=False):
        yield error(
            "storage.download",
            "the 7 MB that came back are not those that were sent",
            "Something between here and Storage changes what it carries.",
            "Try without proxies (HTTPS_PROXY)",
        )
        return
    seconds = time.monotonic() - started
    yield ok("storage.transfer", f"7 MB up, down, compared and removed in {seconds:.1f} s")


def _refused(check: str, what: str, fault: JobError) -> Finding:
    """What an answer of Storage means, and what to do about it."""
    said = f"{what}: {fault.detail or fault.message}"
    if fault.code == "storage_denied":
        return error(check, said, "The key is wrong, or of another project.", GET_KEY)
    if fault.code == "output_too_large":
        return error(
            check,
            said,
            "The limit of the bucket or of the whole project is below 7 MB.",
            "Dashboard → Storage → Settings → Global file size limit, and that of the bucket",
        )
    if fault.code == "storage_unavailable":
        return error(
            check,
            said,
            "Nobody answers at SUPABASE_URL, or Storage is down (https://status.supabase.com).",
            "Check SUPABASE_URL; locally: supabase start, or make dev",
        )
    return error(check, said, "Jobs would fail in the same way.", "docs/troubleshooting.md")


def _ignore(done: int, total: int) -> None:
    """Nobody watches."""
