"""`python -m devstack.demo`: one job from upload to subtitled video, through the real parts.

Starts a stack on a free port, signs a user in, uploads a clip and its subtitles by the Storage API,
inserts the row as that user under row level security, and starts a worker. What it shows of the
progress is what the row says.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import imageio_ffmpeg
import pysubs2
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from supabase import Client, ClientOptions, create_client

from devstack.local_worker import WorkerError, prepare_database, start_worker
from devstack.stack import Stack

SUBTITLES = """1
00:00:01,000 --> 00:00:06,000
Hello! A row became a <i>subtitled</i> video.

2
00:00:07,000 --> 00:00:12,000
مرحبا! الترجمة محروقة في الصورة.

3
00:00:13,000 --> 00:00:18,000
你好！字幕已经烧录到视频中。
"""
SECONDS = 20
FINAL = ("completed", "failed", "cancelled")

console = Console()
Row = dict[str, Any]


class DemoError(Exception):
    """The demo can't go on; says why."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.demo", description=__doc__)
    parser.add_argument("--video", type=Path, help="your own video instead of the sample")
    parser.add_argument("--subs", type=Path, help="your own subtitles: SRT, WebVTT, ASS or SSA")
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where the result goes")
    arguments = parser.parse_args()
    try:
        video = run(arguments.video, arguments.subs, arguments.out)
    except (DemoError, WorkerError, OSError, httpx.HTTPError) as error:
        console.print(f"demo: failed: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)
    console.print(f"demo: completed → {video}", highlight=False, soft_wrap=True)


def run(video: Path | None, subtitles: Path | None, out: Path) -> Path:
    """Do the whole job; returns the path of the result. Everything started is stopped again."""
    for file in filter(None, (video, subtitles)):
        if not file.is_file():
            raise DemoError(f"there is no file {file}")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="video-demo-") as name:
        folder = Path(name)
        with step("starting a Supabase stack (Postgres, Auth, Storage)"):
            stack = Stack.start(directory=folder / "stack")
        with stack:
            with step("applying the migrations"):
                environment = prepare_database(stack)
            with step("making a clip" if video is None else "reading your video"):
                video = video or make_clip(folder / "clip.mp4")
                subtitles = subtitles or write_sample(folder / "subtitles.srt")
            with step("starting a worker"):
                worker = start_worker(folder, environment, folder / "worker.log")
            try:
                return follow_job(stack, worker, folder, video, subtitles, out)
            finally:
                worker.terminate()
                worker.wait()


@contextmanager
def step(text: str) -> Iterator[None]:
    started = time.monotonic()
    with console.status(text):
        yield
    console.print(f"[green]✓[/] {text} [dim]{time.monotonic() - started:.1f} s[/]")


def make_clip(path: Path) -> Path:
    """20 s of moving colours in 1080p with a tone."""
    colours = (
        "gradients=s=960x540:r=30:speed=0.02:nb_colors=4:seed=7:"
        f"c0=0x14305a:c1=0x5a1430:c2=0x145a44:c3=0x302060:d={SECONDS},scale=1920:1080"
    )
    tone = f"aevalsrc='0.1*sin(2*PI*(220+20*floor(t))*t)':d={SECONDS}:s=44100"
    ffmpeg(
        "-f", "lavfi", "-i", colours, "-f", "lavfi", "-i", tone, "-c:v", "libx264",
        "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path),
    )  # fmt: skip
    return path


def write_sample(path: Path) -> Path:
    path.write_text(SUBTITLES, encoding="utf-8")
    return path


def follow_job(
    stack: Stack,
    worker: subprocess.Popen[bytes],
    folder: Path,
    video: Path,
    subtitles: Path,
    out: Path,
) -> Path:
    """Send the job as a user, watch its row, and save what came of it."""
    with httpx.Client(timeout=120) as http:
        options = ClientOptions(httpx_client=http, auto_refresh_token=False)
        client = create_client(stack.url, stack.publishable_key, options)
        with step("signing in as demo@example.com and uploading"):
            job_id = send(client, video, subtitles)
        row = watch(client, job_id, worker)
        show_timeline(client, job_id)
        if row["status"] != "completed":
            raise DemoError(f"{row['error_code']}: {row['error_message']}")
        for warning in row["output_info"]["warnings"]:
            console.print(f"[yellow]![/] {warning['message']}")
        result = out / "video.mp4"
        signed = client.storage.from_("renders").create_signed_url(row["output_path"], 60)
        with http.stream("GET", str(signed["signedURL"])) as response, result.open("wb") as file:
            response.raise_for_status()
            for piece in response.iter_bytes(1 << 20):
                file.write(piece)
    info = row["output_info"]
    times = times_of_three(subtitles, info["duration_seconds"])
    sheet = contact_sheet(result, times, out / "contact-sheet.png")
    console.print(
        f"{info['width']}x{info['height']}, {info['duration_seconds']:.1f} s, "
        f"{info['frames']} frames, {info['cues']} subtitles, sound {info['audio']}, "
        f"{info['size_bytes'] / 1e6:.1f} MB",
        highlight=False,
    )
    console.print(f"contact sheet: {sheet}", highlight=False, soft_wrap=True)
    return result


def send(client: Client, video: Path, subtitles: Path) -> str:
    """Upload both files and insert the row, as the signed-in user."""
    answer = client.auth.sign_up({"email": "demo@example.com", "password": str(uuid4())})
    if answer.user is None:
        raise DemoError("the demo user could not sign in")
    user_id = answer.user.id
    row = {
        "input_path": f"{user_id}/{uuid4()}{video.suffix.lower()}",
        "subtitle_path": f"{user_id}/{uuid4()}{subtitles.suffix.lower()}",
    }
    client.storage.from_("videos").upload(row["input_path"], video, {"content-type": "video/mp4"})
    client.storage.from_("subtitles").upload(row["subtitle_path"], subtitles)
    inserted: Any = client.table("video_jobs").insert(row).execute().data
    job_id: str = inserted[0]["id"]
    return job_id


def watch(client: Client, job_id: str, worker: subprocess.Popen[bytes]) -> Row:
    """Show the row's progress until the job is finished."""
    query = client.table("video_jobs").select("*").eq("id", job_id).single()
    columns = (
        TextColumn("  {task.description:<20}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("queued", total=100)
        while True:
            row: Any = query.execute().data
            state = f"{row['status']} {row['stage'] or ''}"
            progress.update(bar, completed=row["progress"], description=state)
            if row["status"] in FINAL:
                return dict(row)
            if worker.poll() is not None:
                raise DemoError("the worker has died")
            time.sleep(0.2)


def show_timeline(client: Client, job_id: str) -> None:
    """Every state of the job, and how long it was in it."""
    events: Any = client.rpc("video_job_history", {"job_id": job_id}).execute().data
    times = [datetime.fromisoformat(event["at"]) for event in events]
    table = Table("", "status", "stage", "seconds", box=None, padding=(0, 2))
    for number, (event, at) in enumerate(zip(events, times, strict=True)):
        took = f"{(times[number + 1] - at).total_seconds():.2f}" if number + 1 < len(times) else ""
        table.add_row(f"{at:%H:%M:%S.%f}"[:-3], event["status"], event["stage"], took)
    console.print(table)


def contact_sheet(video: Path, times: list[float], path: Path) -> Path:
    """The frames at these times (in seconds), side by side."""
    inputs, pictures, labels = [], "", ""
    for number, seconds in enumerate(times):
        inputs += ["-ss", f"{seconds:.3f}", "-i", str(video)]
        pictures += f"[{number}:v]scale=-2:360,setsar=1[p{number}];"
        labels += f"[p{number}]"
    ffmpeg(
        *inputs, "-filter_complex", f"{pictures}{labels}hstack={len(times)}",
        "-frames:v", "1", "-update", "1", str(path),
    )  # fmt: skip
    if not path.exists():
        raise DemoError("the contact sheet could not be made")
    return path


def times_of_three(subtitles: Path, duration: float) -> list[float]:
    """Seconds in the middle of the first, a middle and the last subtitle that are shown."""
    middles = [
        (cue.start + cue.end) / 2000
        for cue in pysubs2.load(str(subtitles), errors="replace")
        if cue.plaintext.strip() and cue.start < duration * 1000
    ]
    chosen = [middles[0], middles[len(middles) // 2], middles[-1]] if middles else [0.0] * 3
    return [max(0.0, min(seconds, duration - 0.1)) for seconds in chosen]


def ffmpeg(*arguments: str) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    done = subprocess.run(
        [program, "-nostdin", "-v", "error", "-y", *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise DemoError(f"ffmpeg failed: {done.stderr}")


if __name__ == "__main__":
    main()
