"""Settings, all by environment variable (or a ``.env`` file beside the process).

Each field says its default, its range and what follows from it.
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    AnyHttpUrl,
    Field,
    PostgresDsn,
    SecretStr,
    UrlConstraints,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

GIB = 1024**3
DatabaseUrl = Annotated[PostgresDsn, UrlConstraints(host_required=False)]


CONFIG = SettingsConfigDict(
    env_file=".env", extra="ignore", frozen=True, use_attribute_docstrings=True
)


class ProjectSettings(BaseSettings):
    """Which Supabase project, and the key to it."""

    model_config = CONFIG

    supabase_url: AnyHttpUrl = Field(validation_alias="SUPABASE_URL")
    """The project's address, such as `https://abcdefgh.supabase.co`."""

    supabase_secret_key: SecretStr = Field(
        validation_alias=AliasChoices("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    )
    """A secret key (sb_secret_…) or the legacy service_role key. It bypasses RLS: it belongs in
    the worker's environment and nowhere else."""


class DatabaseSettings(BaseSettings):
    """Where the queue is."""

    model_config = CONFIG

    database_url: DatabaseUrl = Field(validation_alias="DATABASE_URL")
    """Postgres, as role video_worker. A transaction pooler (port 6543) will do."""


class Settings(ProjectSettings, DatabaseSettings):
    """Everything that ``video-worker run`` needs."""

    listen_database_url: DatabaseUrl | None = Field(None, validation_alias="LISTEN_DATABASE_URL")
    """Direct or session-mode connection for LISTEN; default: DATABASE_URL. Through a transaction
    pooler no notification arrives: the worker then polls and says so."""

    worker_name: str = Field(default_factory=socket.gethostname, validation_alias="WORKER_NAME")
    """How this worker is called in logs and in video_admin.workers; default: the host's name."""

    concurrency: int = Field(1, ge=1, le=64, validation_alias="WORKER_CONCURRENCY")
    """Jobs at the same time, 1 to 64. The encoder's threads are divided among them, so more slots
    mean more users served at once, not more videos per hour."""

    lease_seconds: float = Field(60, ge=6, le=3600, validation_alias="WORKER_LEASE_SECONDS")
    """How long a job stays ours without a sign of life, 6 to 3600 s. It is renewed twelve times as
    often. Shorter: a lost host is noticed sooner; longer: longer outages are outlived."""

    grace_seconds: float = Field(25, ge=0, validation_alias="WORKER_GRACE_SECONDS")
    """On SIGTERM, running jobs get this long to finish before they are given back without spending
    an attempt. Keep it below what the platform allows before it kills (docker: 10 s, Kubernetes:
    30 s, unless set)."""

    work_dir: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / f"video-worker-{os.getuid()}",
        validation_alias="WORKER_WORK_DIR",
    )
    """Where jobs keep their files while they run: room for about 2.5 times the largest video per
    slot. Default: a folder of this user's below the system's temporary folder. Emptied after every
    job, and at the start of what a dead worker left."""

    max_input_bytes: int = Field(5 * GIB, ge=1, validation_alias="WORKER_MAX_INPUT_BYTES")
    """Larger videos are refused; default 5 GiB."""

    max_duration_seconds: float = Field(
        4 * 3600, gt=0, validation_alias="WORKER_MAX_DURATION_SECONDS"
    )
    """Longer videos are refused; default 4 hours."""

    max_pixels: int = Field(8192 * 4320, ge=16, validation_alias="WORKER_MAX_PIXELS")
    """Pictures with more pixels (width times height) are refused; default 8192 x 4320."""

    segment_seconds: float | None = Field(None, ge=2, validation_alias="WORKER_SEGMENT_SECONDS")
    """Videos that last longer are split into segments of about this length, which all workers
    encode side by side; 300 is a good value where there are several machines. Default: none is
    split, for one machine gains nothing by it (docs/scaling.md). What counts is the setting of the
    worker that claims the video; segments are encoded by any."""

    max_render_seconds: float = Field(6 * 3600, gt=0, validation_alias="WORKER_MAX_RENDER_SECONDS")
    """A render that takes longer is stopped and the job fails; default 6 hours."""

    ffmpeg_path: Path | None = Field(None, validation_alias="FFMPEG_PATH")
    """The ffmpeg to use. Default: the one on PATH if it is recent and has libass and libx264, else
    the one that comes with the Python package imageio-ffmpeg."""

    sandbox: Literal["require", "auto", "off"] = Field("auto", validation_alias="WORKER_SANDBOX")
    """require: ffmpeg is locked in completely (its job's folder only, no network, no new processes)
    or the worker does not start; auto: as far as the kernel allows, with a warning in the log when
    that is not completely; off: limits of memory, time and file size only."""
    encoder: Literal["x264", "auto", "nvenc", "qsv", "vaapi", "vulkan"] = Field(
        "x264", validation_alias="WORKER_ENCODER"
    )
    """What makes the H.264. x264, the default, gives the best picture for its bitrate. auto: the
    first of NVENC, Quick Sync, VAAPI and Vulkan that passes a test at the start, else x264. A
    hardware encoder by name: that one, or the worker does not start. When one fails in a job, x264
    does the work."""

    font_dirs: Annotated[tuple[Path, ...], NoDecode] = Field((), validation_alias="FONT_DIRS")
    """More folders with fonts, separated by ':'. They need not be writable."""

    health_port: int | None = Field(
        None, ge=1, le=65535, validation_alias=AliasChoices("WORKER_HEALTH_PORT", "PORT")
    )
    """Port for /livez, /readyz and /metrics; default: no health server."""

    traces_endpoint: AnyHttpUrl | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Where OpenTelemetry traces go by OTLP over HTTP, such as `http://localhost:4318`; default: no
    traces. Needs `pip install 'supabase-video-worker[otel]'`."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias="LOG_LEVEL"
    )
    """debug, info, warning or error; default info: a line or two per job."""

    log_format: Literal["auto", "json", "console"] = Field("auto", validation_alias="LOG_FORMAT")
    """auto: coloured lines on a terminal, JSON elsewhere."""

    @field_validator("font_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(filter(None, value.split(":"))) if isinstance(value, str) else value
