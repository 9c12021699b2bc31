"""The real command line against a project: a row becomes a subtitled video."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acceptance.conftest import Project, User, ffmpegs_in
from tests.clips import (
    HEIGHT,
    RATE,
    WIDTH,
    Clip,
    ffmpeg,
    gray_frames,
    packets_digest,
    shows_text,
)
from tests.conftest import eventually

TEXT_FRAMES = {*range(25, 50), *range(75, 87)}
BIG = {"style": {"size": 15}}


def test_a_row_becomes_a_subtitled_video(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    worker = project.start_worker()
    job_id = user.send(clip, options=BIG)
    row = user.wait(job_id)
    assert row["status"] == "completed", row
    assert (row["progress"], row["attempt"], row["stage"]) == (100, 1, None)
    assert row["output_path"].startswith(f"{user.id}/{job_id}/1-")

    video = project.download(row["output_path"], tmp_path / "out.mp4")
    frames = gray_frames(video, WIDTH, HEIGHT)
    assert set(np.flatnonzero(shows_text(frames))) == TEXT_FRAMES
    assert packets_digest(video, "0:a:0") == packets_digest(clip, "0:a:0")
    poster = project.download(row["poster_path"], tmp_path / "poster.jpg")
    assert shows_text(gray_frames(poster, WIDTH, HEIGHT)).all()

    info = row["output_info"]
    assert (info["frames"], info["cues"], info["warnings"]) == (4 * RATE, 2, [])
    assert info["size_bytes"] == video.stat().st_size
    stages = [(event["status"], event["stage"]) for event in user.history(job_id)]
    assert stages[:2] == [("queued", None), ("processing", "download")]
    assert stages[-1] == ("completed", None)
    order = ["download", "probe", "subtitles", "render", "upload"]
    seen = [stage for _, stage in stages if stage]
    assert seen == sorted(seen, key=order.index), "a stage that is over in a blink may be skipped"
    assert {"download", "render"} <= set(seen)

    worker.terminate()
    assert worker.wait() == 0
    assert worker.leftovers() == []
    for event in worker.events:
        assert event["worker_id"], event
        assert project.stack.secret_key not in str(event)
        assert "token=" not in str(event), "a signed URL is as good as a key"
        if event["event"].startswith("job."):
            assert (event["job_id"], event["attempt"]) == (job_id, 1)


def test_the_owner_gets_the_result_by_a_signed_url_and_nobody_else_does(
    project: Project, user: User, clip: Path
) -> None:
    project.start_worker()
    row = user.wait(user.send(clip))
    renders = user.client.storage.from_("renders")
    assert len(renders.download(row["output_path"])) == row["output_info"]["size_bytes"]
    other = project.new_user()
    with pytest.raises(Exception, match="not found"):
        other.client.storage.from_("renders").download(row["output_path"])


@pytest.mark.parametrize(
    ("subtitles", "format_"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nWord\n\n00:03.000 --> 00:03.480\nWort\n", "vtt"),
        (
            "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour\n"
            "Style: D,Noto Sans,60,&H00FFFFFF\n[Events]\nFormat: Start, End, Style, Text\n"
            "Dialogue: 0:00:01.00,0:00:02.00,D,Word\nDialogue: 0:00:03.00,0:00:03.48,D,Wort\n",
            "ass",
        ),
        (
            "[V4 Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour\n"
            "Style: D,Noto Sans,60,16777215\n[Events]\nFormat: Start, End, Style, Text\n"
            "Dialogue: 0:00:01.00,0:00:02.00,D,Word\nDialogue: 0:00:03.00,0:00:03.48,D,Wort\n",
            "ssa",
        ),
    ],
    ids=["vtt", "ass", "ssa"],
)
def test_every_format_of_subtitles_is_burned_in(
    project: Project, user: User, clip: Path, tmp_path: Path, subtitles: str, format_: str
) -> None:
    project.start_worker()
    row = user.wait(user.send(clip, subtitles, options=BIG))
    assert row["status"] == "completed", row
    assert row["output_info"]["subtitle_format"] == format_
    video = project.download(row["output_path"], tmp_path / "out.mp4")
    text = shows_text(gray_frames(video, WIDTH, HEIGHT))
    assert set(np.flatnonzero(text)) == TEXT_FRAMES


def no_video(folder: Path) -> Path:
    path = folder / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)
    return path


def truncated(folder: Path) -> Path:
    whole = Clip(seconds=10).make(folder / "whole.mp4", "-movflags", "+faststart").read_bytes()
    path = folder / "half.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    return path


def encrypted(folder: Path) -> Path:
    path = folder / "drm.mp4"
    Clip().make(folder / "clear.mp4")
    ffmpeg(
        "-i", folder / "clear.mp4", "-c", "copy", "-encryption_scheme", "cenc-aes-ctr",
        "-encryption_key", "00" * 16, "-encryption_kid", "11" * 16, path,
    )  # fmt: skip
    return path


BAD_VIDEOS: dict[str, Callable[[Path], Path | bytes]] = {
    "invalid_video": lambda folder: b"This is no video.",
    "no_video_stream": no_video,
    "video_truncated": truncated,
    "video_encrypted": encrypted,
    "input_too_large": lambda folder: bytes(3_000_001),
}
BAD_SUBTITLES = {
    "subtitles_empty": b" \n",
    "subtitles_unreadable": b"no times at all",
    "subtitles_incomplete": b"00:01 --> 00:02\nx\n\n00:03 --> soon\ny\n",
    "subtitles_too_large": b"00:01 --> 00:02\nx\n\n" * 20_001,
}
BAD_ROWS: dict[str, dict[str, Any]] = {
    "invalid_options": {"options": {"style": {"color": "red"}}},
    "input_missing": {"input_path": "{user}/gone.mp4"},
    "subtitles_missing": {"subtitle_path": "{user}/gone.srt"},
}


def test_what_is_bad_fails_with_its_code_and_leaves_nothing(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    worker = project.start_worker(WORKER_MAX_INPUT_BYTES="3000000")
    sent = {code: user.send(make(tmp_path)) for code, make in BAD_VIDEOS.items()}
    sent |= {code: user.send(clip, data) for code, data in BAD_SUBTITLES.items()}
    for code, columns in BAD_ROWS.items():
        filled = {
            name: value.format(user=user.id) if isinstance(value, str) else value
            for name, value in columns.items()
        }
        sent[code] = user.send(clip, **filled)
    for code, job_id in sent.items():
        row = user.wait(job_id)
        assert (row["status"], row["error_code"], row["attempt"]) == ("failed", code, 1), row
        assert len(row["error_message"]) > 20
        assert str(tmp_path) not in row["error_message"]
    assert project.renders() == []
    worker.terminate()
    assert worker.wait() == 0
    assert worker.leftovers() == []


def test_a_path_into_another_users_folder_is_refused_at_the_insert(
    project: Project, user: User, clip: Path
) -> None:
    other = project.new_user()
    for path in (f"{other.id}/v.mp4", f"{user.id}/../{other.id}/v.mp4"):
        with pytest.raises(Exception, match="input_path_is_own"):
            user.send(clip, input_path=path)


def test_a_cancelled_job_stops_within_seconds_and_leaves_nothing(
    project: Project, user: User, long_clip: Path
) -> None:
    worker = project.start_worker()
    job_id = user.send(long_clip)
    user.wait_for_stage(job_id, "render")
    user.client.rpc("cancel_video_job", {"job_id": job_id}).execute()
    row = user.wait(job_id, seconds=5)
    assert row["status"] == "cancelled"
    eventually(lambda: not ffmpegs_in(worker.work_dir))
    assert worker.wait_for("job.finished")["outcome"] == "cancelled"
    assert project.renders() == []
    user.client.rpc("retry_video_job", {"job_id": job_id}).execute()
    user.wait_for_stage(job_id, "render")


def test_after_kill_9_in_a_render_another_worker_finishes_the_job(
    project: Project, user: User, long_clip: Path
) -> None:
    victim = project.start_worker()
    job_id = user.send(long_clip)
    user.wait_for_stage(job_id, "render")
    eventually(lambda: ffmpegs_in(victim.work_dir))
    survivor = project.start_worker()
    locked = "select count(*) from video_worker.workers where holds_lock"
    eventually(lambda: project.db.value(locked) == 2)
    victim.process.kill()
    eventually(lambda: not ffmpegs_in(victim.work_dir))
    row = user.wait(job_id, seconds=100)
    assert (row["status"], row["attempt"]) == ("completed", 2), row
    assert len([path for path in project.renders() if path.endswith("video.mp4")]) == 1
    survivor.terminate()
    assert survivor.wait() == 0
    again = project.start_worker()
    again.terminate()
    again.wait()
    assert again.leftovers() == [], "what the dead worker left was swept"


def test_sigterm_lets_the_running_job_finish(project: Project, user: User, long_clip: Path) -> None:
    worker = project.start_worker(WORKER_GRACE_SECONDS="100")
    job_id = user.send(long_clip)
    user.wait_for_stage(job_id, "render")
    waiting = user.send(long_clip)
    worker.terminate()
    assert worker.wait(100) == 0
    assert user.job(job_id)["status"] == "completed"
    assert user.job(waiting)["status"] == "queued"
    assert project.db.value("select count(*) from video_worker.workers") == 0


def test_an_admins_drain_lets_the_running_job_finish_however_long_it_takes(
    project: Project, user: User, long_clip: Path
) -> None:
    worker = project.start_worker(WORKER_GRACE_SECONDS="0")
    job_id = user.send(long_clip)
    user.wait_for_stage(job_id, "render")
    project.db.admin.execute("select video_admin.drain_worker(id) from video_worker.workers")
    assert worker.wait(100) == 0
    assert user.job(job_id)["status"] == "completed"


@pytest.mark.parametrize("grace", ["0", "100"])
def test_when_the_grace_is_over_the_job_is_given_back_unharmed(
    project: Project, user: User, long_clip: Path, grace: str
) -> None:
    """Over at once, or ended by a second signal."""
    worker = project.start_worker(WORKER_GRACE_SECONDS=grace)
    job_id = user.send(long_clip)
    user.wait_for_stage(job_id, "render")
    worker.terminate()
    if grace != "0":
        worker.wait_for("worker.draining")
        worker.process.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    row = user.job(job_id)
    assert (row["status"], row["attempt"]) == ("queued", 0)
    assert ffmpegs_in(worker.work_dir) == []
    assert worker.leftovers() == []
    assert project.renders() == []


def test_slots_run_jobs_side_by_side(project: Project, user: User, long_clip: Path) -> None:
    project.start_worker(WORKER_CONCURRENCY="2")
    jobs = [user.send(long_clip) for _ in range(3)]
    eventually(lambda: [user.job(job)["status"] for job in jobs].count("processing") == 2)
    assert user.job(jobs[2])["status"] == "queued"


def test_a_job_sent_while_the_worker_is_idle_starts_at_once(
    project: Project, user: User, clip: Path
) -> None:
    worker = project.start_worker()
    worker.wait_for("listener.live")
    user.wait(user.send(clip))
    assert worker.wait_for("job.claimed")["waited"] < 5


def test_everything_that_can_be_asked_for_comes_out(
    project: Project, user: User, clip: Path, tmp_path: Path
) -> None:
    """A soft track, subtitle files, a poster of a certain moment, a smaller picture."""
    project.start_worker()
    cues = [
        {"start": 1, "end": 2, "text": "Word"},
        {"start": 3, "end": 3.48, "text": "Wort", "position": "top-left"},
    ]
    options = {
        **BIG, "language": "de", "soft_track": True, "sidecars": ["srt", "vtt"],
        "poster_time": 0.5, "max_resolution": 144,
    }  # fmt: skip
    row = user.wait(user.send(clip, json.dumps(cues), options=options))
    assert row["status"] == "completed", row
    info = row["output_info"]
    assert (info["width"], info["height"], info["soft_track"]) == (192, 144, True)
    assert (info["subtitle_format"], info["cues"], info["warnings"]) == ("json", 2, [])

    video = project.download(row["output_path"], tmp_path / "out.mp4")
    assert set(np.flatnonzero(shows_text(gray_frames(video, 192, 144)))) == TEXT_FRAMES
    soft = ffmpeg("-i", video, "-map", "0:s:0", "-f", "srt", "pipe:1").decode()
    assert "Word" in soft
    poster = project.download(row["poster_path"], tmp_path / "poster.jpg")
    assert not shows_text(gray_frames(poster, 192, 144)).any(), "nothing is said at 0.5 s"

    folder = row["output_path"].rpartition("/")[0]
    assert info["sidecars"] == {kind: f"{folder}/subtitles.{kind}" for kind in ("srt", "vtt")}
    renders = user.client.storage.from_("renders")
    assert renders.download(info["sidecars"]["srt"]).decode() == (
        "1\n00:00:01,000 --> 00:00:02,000\nWord\n\n2\n00:00:03,000 --> 00:00:03,480\n{\\an7}Wort\n"
    )
    assert renders.download(info["sidecars"]["vtt"]).decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nWord\n\n"
        "00:00:03.000 --> 00:00:03.480 line:0 position:0% align:left\nWort\n"
    )
