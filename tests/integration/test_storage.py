"""Large transfers over connections that break."""

from __future__ import annotations

import asyncio
import hashlib
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from devstack.stack import Fault as StorageFault
from devstack.stack import Stack
from tests.conftest import Db
from tests.proxy import Fault, Proxy, proxy
from worker.errors import JobError
from worker.storage import faults
from worker.storage.client import Storage
from worker.storage.faults import MissingObjectError
from worker.storage.tus import CHUNK_SIZE

MB = 1024 * 1024


@pytest.fixture
def stack(db: Db, tmp_path: Path) -> Iterator[Stack]:
    with Stack.start(directory=tmp_path / "stack", database_url=db.dsn()) as started:
        yield started


@pytest.fixture
async def road(stack: Stack) -> AsyncIterator[Proxy]:
    async with proxy(stack.url) as started:
        yield started


@pytest.fixture
async def storage(stack: Stack, road: Proxy) -> AsyncIterator[Storage]:
    storage = Storage(road.address, stack.secret_key)
    yield storage
    await storage.close()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are for production."""
    monkeypatch.setattr(faults, "_wait", lambda state: 0.0)


def make_file(folder: Path, size: int) -> Path:
    path = folder / f"{uuid4()}.bin"
    block = hashlib.sha256(str(size).encode()).digest() * (MB // 32)
    with path.open("wb") as file:
        for start in range(0, size, MB):
            file.write(block[: min(MB, size - start)])
    return path


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def ignore(done: int, total: int) -> None:
    pass


async def fetch(storage: Storage, path: str, target: Path) -> Path:
    info = await storage.info("renders", path)
    await storage.download("renders", path, info, target, ignore)
    return target


@pytest.mark.parametrize("size", [1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE, 20 * MB])
async def test_what_goes_up_comes_down(storage: Storage, tmp_path: Path, size: int) -> None:
    source = make_file(tmp_path, size)
    seen: list[tuple[int, int]] = []
    await storage.upload(
        "renders", "u/a b/(x) & y+z.mp4", source, "video/mp4",
        lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    back = await fetch(storage, "u/a b/(x) & y+z.mp4", tmp_path / "back.bin")
    assert digest(back) == digest(source)
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)


async def test_a_download_goes_on_where_the_connection_broke(
    storage: Storage, road: Proxy, tmp_path: Path
) -> None:
    source = make_file(tmp_path, 30 * MB)
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    info = await storage.info("renders", "u/v")
    progress: list[int] = []
    # One for the signed URL, then the data in three pieces.
    road.faults = [Fault(received=12 * MB), Fault(received=12 * MB)]
    await storage.download(
        "renders", "u/v", info, tmp_path / "back", lambda done, total: progress.append(done)
    )
    assert digest(tmp_path / "back") == digest(source)
    assert progress == sorted(progress), "nothing was fetched twice"


async def test_a_download_that_brings_nothing_gives_up(
    storage: Storage, road: Proxy, tmp_path: Path
) -> None:
    source = make_file(tmp_path, 7 * MB)
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    info = await storage.info("renders", "u/v")
    road.faults = [Fault(received=0)] * 20
    with pytest.raises(JobError) as raised:
        await storage.download("renders", "u/v", info, tmp_path / "back", ignore)
    assert (raised.value.code, raised.value.retry) == ("storage_unavailable", True)
    assert road.connections < 12, "it does not hammer"


async def test_a_line_that_breaks_before_every_megabyte_still_brings_it_all(
    storage: Storage, road: Proxy, tmp_path: Path
) -> None:
    """Each try gains something, so none of them is the last."""
    source = make_file(tmp_path, 5 * MB)
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    info = await storage.info("renders", "u/v")
    road.faults = [Fault(received=MB * 3 // 4)] * 7
    await storage.download("renders", "u/v", info, tmp_path / "back", ignore)
    assert digest(tmp_path / "back") == digest(source)


async def test_an_object_that_was_replaced_is_noticed(storage: Storage, tmp_path: Path) -> None:
    await storage.upload("renders", "u/v", make_file(tmp_path, 100), "video/mp4", ignore)
    before = await storage.info("renders", "u/v")
    await storage.upload("renders", "u/v", make_file(tmp_path, 200), "video/mp4", ignore)
    with pytest.raises(JobError) as raised:
        await storage.download("renders", "u/v", before, tmp_path / "back", ignore)
    assert raised.value.code == "input_changed"


async def test_one_replaced_by_a_shorter_one_within_the_download_is_noticed(
    storage: Storage, road: Proxy, stack: Stack, tmp_path: Path
) -> None:
    await storage.upload("renders", "u/v", make_file(tmp_path, 30 * MB), "video/mp4", ignore)
    before = await storage.info("renders", "u/v")

    def replace(done: int, total: int) -> None:
        headers = {"apikey": stack.secret_key, "x-upsert": "true"}
        url = f"{stack.url}/storage/v1/object/renders/u/v"
        httpx.post(url, content=b"short", headers=headers).raise_for_status()

    road.faults = [Fault(received=12 * MB)] * 2
    with pytest.raises(JobError) as raised:
        await storage.download("renders", "u/v", before, tmp_path / "back", replace)
    assert raised.value.code == "input_changed"


@pytest.mark.parametrize(
    "broken",
    [
        [Fault(sent=3 * MB)],
        [Fault(sent=8 * MB), Fault(sent=1000), Fault(sent=3 * MB)],
        [Fault(received=0)],
    ],
    ids=["cut within a chunk", "cut again and again", "reply lost"],
)
async def test_an_upload_goes_on_where_the_connection_broke(
    storage: Storage, road: Proxy, tmp_path: Path, broken: list[Fault]
) -> None:
    source = make_file(tmp_path, 20 * MB)
    road.faults = [Fault(), *broken] if broken[0].received == 0 else list(broken)
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    assert digest(await fetch(storage, "u/v", tmp_path / "back")) == digest(source)


async def test_an_upload_whose_last_reply_was_lost_is_found_complete(
    storage: Storage, road: Proxy, tmp_path: Path
) -> None:
    source = make_file(tmp_path, 8 * MB)
    # All of the request passes, nothing of the reply to the second chunk.
    road.faults = [Fault(received=900)]
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    assert digest(await fetch(storage, "u/v", tmp_path / "back")) == digest(source)


def answer(status: str, *headers: str, body: str = "{}") -> Fault:
    head = "".join(f"{header}\r\n" for header in headers)
    text = (
        f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{head}"
        f"content-type: application/json\r\nconnection: close\r\n\r\n{body}"
    )
    return Fault(reply=text.encode())


async def test_a_busy_server_is_asked_again(storage: Storage, road: Proxy, tmp_path: Path) -> None:
    await storage.upload("renders", "u/v", make_file(tmp_path, 10), "video/mp4", ignore)
    before = road.connections
    await storage.close()
    storage = Storage(road.address, storage._headers["apikey"])
    road.faults = [answer("503 x"), answer("429 x", "retry-after: 1"), answer("500 x")]
    assert (await storage.info("renders", "u/v")).size == 10
    assert road.connections == before + 4
    await storage.close()


async def test_an_answer_without_an_offset_is_asked_for_again(
    storage: Storage, road: Proxy, tmp_path: Path
) -> None:
    """As of something before Storage that means well."""
    source = make_file(tmp_path, 8 * MB)
    road.faults = [Fault(sent=3 * MB), answer("200 x")]
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    assert digest(await fetch(storage, "u/v", tmp_path / "back")) == digest(source)


async def test_how_long_the_server_wants_us_to_wait_is_passed_on(
    storage: Storage, road: Proxy
) -> None:
    road.faults = [answer("429 x", "retry-after: 300")] * 2
    with pytest.raises(JobError) as raised:
        await storage.info("renders", "u/v")
    assert raised.value.retry_after == 300
    assert road.connections == 1, "that is too long to wait inside a job"


async def test_a_refused_key_is_not_tried_again_at_once(stack: Stack) -> None:
    storage = Storage(stack.url, "sb_secret_wrong")
    with pytest.raises(JobError) as raised:
        await storage.info("renders", "u/v")
    assert (raised.value.code, raised.value.retry) == ("storage_denied", True)
    await storage.close()


async def test_a_missing_object_is_told_from_a_missing_bucket(storage: Storage) -> None:
    with pytest.raises(MissingObjectError):
        await storage.info("renders", "u/nothing")
    with pytest.raises(JobError) as raised:
        await storage.info("no-such-bucket", "u/nothing")
    assert raised.value.code == "storage_denied"


@pytest.mark.parametrize("path", ["u/%2e%2e/v/x.mp4", "u/100%41.mp4", "u/äöü.mp4"])
async def test_a_name_that_no_object_can_have_is_a_missing_object(
    storage: Storage, path: str
) -> None:
    with pytest.raises(MissingObjectError):
        await storage.info("renders", path)


async def test_a_folder_is_removed_with_all_that_is_below(
    storage: Storage, stack: Stack, tmp_path: Path, db: Db
) -> None:
    file = make_file(tmp_path, 10)
    for name in ("u/j/1-a/video.mp4", "u/j/1-a/poster.jpg", "u/j/2-b/video.mp4", "u/k/x"):
        await storage.upload("renders", name, file, "video/mp4", ignore)
    await storage.remove_folder("renders", "u/j")
    await storage.remove_folder("renders", "u/j")
    rows = db.admin.execute("select name from storage.objects").fetchall()
    assert [row["name"] for row in rows] == ["u/k/x"]


async def test_two_may_remove_a_folder_at_once(
    storage: Storage, stack: Stack, tmp_path: Path
) -> None:
    await storage.upload("renders", "u/j/video.mp4", make_file(tmp_path, 10), "video/mp4", ignore)
    slow = StorageFault("DELETE", "/object/renders", hold=True)
    stack.faults.append(slow)
    slower = asyncio.create_task(storage.remove_folder("renders", "u/j"))
    assert await asyncio.to_thread(slow.hit.wait, 20)
    await storage.remove_folder("renders", "u/j")
    slow.go_on.set()
    await slower


async def test_the_legacy_key_works_too(stack: Stack, tmp_path: Path) -> None:
    storage = Storage(stack.url, stack.service_role_key)
    source = make_file(tmp_path, 7 * MB)
    await storage.upload("renders", "u/v", source, "video/mp4", ignore)
    assert digest(await fetch(storage, "u/v", tmp_path / "back")) == digest(source)
    await storage.close()


async def test_transfers_hold_no_file_in_memory(storage: Storage, tmp_path: Path) -> None:
    await storage.upload("renders", "u/s", make_file(tmp_path, 20 * MB), "video/mp4", ignore)
    await fetch(storage, "u/s", tmp_path / "s")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await storage.upload("renders", "u/v", make_file(tmp_path, 300 * MB), "video/mp4", ignore)
    await fetch(storage, "u/v", tmp_path / "v")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 60, f"{grown:.0f} MB more for 300 MB"
