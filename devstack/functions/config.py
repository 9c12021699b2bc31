"""Which functions a project has: the folders in supabase/functions, and supabase/config.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Function:
    """`config`: its deno.json, if there is one."""

    name: str
    entrypoint: Path
    config: Path | None
    verify_jwt: bool


def find_function(project: Path, name: str) -> Function | None:
    """The function of that name of the project in a folder `supabase`; None if there is none.

    Read anew each time: files change while the stack runs. Raises tomllib.TOMLDecodeError.
    """
    folder = project / "functions" / name
    if not name or name[0] in "._" or folder.parent != project / "functions":
        return None
    settings = _settings(project, name)
    entrypoint = project / settings.get("entrypoint", folder / "index.ts")
    config = project / settings.get("import_map", folder / "deno.json")
    if not settings.get("enabled", True) or not entrypoint.is_file():
        return None
    return Function(
        name,
        entrypoint.resolve(),
        config.resolve() if config.is_file() else None,
        settings.get("verify_jwt", True),
    )


def _settings(project: Path, name: str) -> Mapping[str, Any]:
    try:
        config = tomllib.loads((project / "config.toml").read_text())
    except FileNotFoundError:
        return {}
    settings: Mapping[str, Any] = config.get("functions", {}).get(name, {})
    return settings
