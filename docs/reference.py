"""Writes the reference pages and schemas (``PAGES``) from the code: `make docs`.

A test fails when what lies there is not what this writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import partial
from pathlib import Path

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from worker.errors import CATALOGUE, WARNINGS
from worker.media.options import Options
from worker.media.style import Style
from worker.media.subtitles.json_cues import JsonCues
from worker.ops.metrics import QUEUE_FIGURES, Metrics, State
from worker.settings import Settings

ROOT = Path(__file__).parents[1]
SHARED = "supabase/functions/_shared"


def settings_page() -> str:
    rows = [
        "# Settings",
        "",
        "All settings of `video-worker` are environment variables, or lines of a `.env` file in",
        "the folder it is started in. Three are needed, the rest have defaults.",
        "",
        "| variable | default | what it is and what follows from it |",
        "|---|---|---|",
    ]
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias]
        variable = " or ".join(f"`{name}`" for name in names)
        rows.append(f"| {variable} | {_default(field)} | {_text(field.description)} |")
    return "\n".join(rows) + "\n"


def options_page() -> str:
    example = {
        "style": {"color": "#FFDD00", "bold": True, "position": "top-center"},
        "sidecars": ["vtt"],
    }
    rows = [
        "# Options",
        "",
        _text(Options.__doc__) + " Everything is optional; what is not listed here is an error",
        "(`invalid_options`) that names it. For example:",
        "",
        "```json",
        json.dumps(example),
        "```",
        "",
        f"The same as JSON Schema: [options.schema.json](../{SHARED}/options.schema.json),",
        f"and for subtitles sent as JSON: [cues.schema.json](../{SHARED}/cues.schema.json).",
        "",
        *_table(Options, without={"style"}),
        "",
        "## style",
        "",
        _text(Style.__doc__),
        "ASS and SSA files keep the styles that their author gave them, unless `restyle` is true.",
        "",
        *_table(Style),
    ]
    return "\n".join(rows) + "\n"


def _table(model: type[BaseModel], without: Collection[str] = ()) -> list[str]:
    rows = ["| field | default | range | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in without:
            cells = (f"`{name}`", _default(field), _range(model, name), _text(field.description))
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _schema(model: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def errors_page() -> str:
    rows = [
        "# Error codes",
        "",
        "Column `error_code` of `video_jobs`. Codes never change their meaning; `error_message`",
        "holds the sentence, which may be shown to the user. Where it says *retried*, the worker",
        "has tried again by itself until the attempts were spent; `retry_video_job` starts anew.",
        "",
        "| code | | what the user reads |",
        "|---|---|---|",
    ]
    rows += [
        f"| `{code}` | {'retried' if problem.retry else 'final'} | {problem.message} |"
        for code, problem in CATALOGUE.items()
    ]
    rows += [
        "",
        "Refused before there is a row (Postgres error, with `details` and `hint`):",
        "",
        "| status | message | meaning |",
        "|---|---|---|",
        "| 429 | `quota_open_jobs` | Too many jobs of this user are waiting or running. |",
        "| 429 | `quota_jobs_per_hour` | This user has sent too many jobs within an hour. |",
        "| 409 | `idempotency_key_used` | There is a job of this user with that key. |",
        "| 404 | `job_not_found` | There is no such job, or it is another user's. |",
        "| 409 | `job_not_retryable` | Only a failed or cancelled job can be retried. |",
        "",
        "Warnings of a completed job: `output_info.warnings`, a list of `{code, message}`:",
        "",
        "| code | what the user reads |",
        "|---|---|",
    ]
    rows += [f"| `{code}` | {message} |" for code, message in WARNINGS.items()]
    return "\n".join(rows) + "\n"


def metrics_page() -> str:
    metrics = Metrics("", "")
    metrics.render(State(1, 0, False, True, True, 0), dict.fromkeys(QUEUE_FIGURES, 0.0))
    rows = [
        "# Metrics",
        "",
        "`/metrics` on `WORKER_HEALTH_PORT` (or `PORT`), for Prometheus. Counters and histograms",
        "are of this worker since it started; `video_worker_queue_…` describe the whole queue and",
        "are the same from every worker, so take their `max`.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in sorted(metrics.registry.collect(), key=lambda family: family.name):
        if family.name.startswith("video_worker"):
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            cells = (f"`{name}`", family.type, ", ".join(sorted(labels)), family.documentation)
            rows.append(f"| {' | '.join(cells)} |")
    rows += [
        "",
        "Beside them: `process_…` (memory, CPU, open files) and `python_info`.",
    ]
    return "\n".join(rows) + "\n"


def errors_for_clients() -> str:
    """Every code of a job, its sentence, and whether the worker has tried again by itself."""
    return (
        json.dumps({code: asdict(problem) for code, problem in CATALOGUE.items()}, indent=2) + "\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/options.md": options_page,
    "docs/errors.md": errors_page,
    "docs/metrics.md": metrics_page,
    "frontend/src/service/errors.json": errors_for_clients,
    f"{SHARED}/errors.json": errors_for_clients,
    f"{SHARED}/options.schema.json": partial(_schema, Options),
    f"{SHARED}/cues.schema.json": partial(_schema, JsonCues),
}
"""What is written where, from the root of the repository."""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default in (None, (), PydanticUndefined) or isinstance(field.default, BaseModel):
        return ""
    default = field.default
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _range(model: type[BaseModel], name: str) -> str:
    schema = model.model_json_schema()["properties"][name]
    # What may be left out is "this or null".
    schema = next((one for one in schema.get("anyOf", []) if one["type"] != "null"), schema)
    listed = schema.get("items", schema).get("enum")
    if listed:
        return ", ".join(f"`{value}`" for value in listed)
    if "minimum" in schema:
        return f"{schema['minimum']:g} to {schema['maximum']:g}"
    return {"boolean": "true, false", "string": "text"}[schema["type"]]


def _text(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


if __name__ == "__main__":
    for page, write in PAGES.items():
        (ROOT / page).write_text(write(), encoding="utf-8")
