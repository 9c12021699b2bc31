"""ffmpeg, its encoders, its sandbox and the fonts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from worker.doctor.finding import Finding, error, ok, warning
from worker.errors import ConfigurationError
from worker.media.cues import Cue
from worker.media.encoder import HARDWARE, X264, choose_encoder, test_encoder
from worker.media.ffmpeg import Ffmpeg, Limits
from worker.media.script.ass import write_script
from worker.media.style import Style
from worker.settings import Settings

FONTS = "pip install 'supabase-video-worker[fonts]', or FONT_DIRS with fonts of your own"
SCRIPTS = {
    "Latin": "Aéßł",
    "Greek": "Ωψ",
    "Cyrillic": "Жя",
    "Arabic": "سلام",
    "Hebrew": "שלום",
    "Devanagari": "नमस्ते",
    "Bengali": "বাংলা",
    "Tamil": "தமிழ்",
    "Thai": "ไทย",
    "Burmese": "မြန်မာ",
    "Khmer": "ខ្មែរ",
    "Chinese": "汉漢",
    "Japanese": "かカ",
    "Korean": "한글",
    "emoji": "😀",
}


async def check_media(settings: Settings, folder: Path) -> AsyncIterator[Finding]:
    try:
        ffmpeg = await Ffmpeg.find(
            settings.ffmpeg_path, folder, settings.font_dirs, settings.sandbox
        )
    except ConfigurationError as fault:
        sandboxed = "WORKER_SANDBOX" in str(fault)
        yield error(
            "media.sandbox" if sandboxed else "media.ffmpeg",
            " ".join(str(fault).split()),
            "The worker does not start without it.",
            "WORKER_SANDBOX=auto, or a host with Landlock (docs/sandbox.md)"
            if sandboxed
            else f"pip install --force-reinstall imageio-ffmpeg; for fonts: {FONTS}",
        )
        return
    yield ok("media.ffmpeg", f"{ffmpeg.path} burns a word")
    yield _sandbox(ffmpeg)
    async for finding in _encoders(settings, ffmpeg, folder):
        yield finding
    yield await _fonts(ffmpeg, folder)


def _sandbox(ffmpeg: Ffmpeg) -> Finding:
    if ffmpeg.level == "full":
        return ok("media.sandbox", "full: no files but its own, no network")
    return warning(
        "media.sandbox",
        f"ffmpeg is locked in at level '{ffmpeg.level}' only",
        "A video that takes ffmpeg over could reach more than its own folder.",
        "Unset WORKER_SANDBOX if it is off; else a kernel with Landlock (docs/sandbox.md)",
    )


async def _encoders(settings: Settings, ffmpeg: Ffmpeg, folder: Path) -> AsyncIterator[Finding]:
    """Each encoder by a test encode; the one that jobs will use."""
    tried = {
        encoder.name: await test_encoder(ffmpeg, folder, encoder) for encoder in (X264, *HARDWARE)
    }
    working = ", ".join(name for name, reason in tried.items() if not reason)
    try:
        chosen = await choose_encoder(ffmpeg, folder, settings.encoder)
    except ConfigurationError as fault:
        yield error(
            "media.encoder",
            " ".join(str(fault).split()),
            "The worker does not start with an encoder that it can't use.",
            "WORKER_ENCODER=auto",
        )
        return
    yield ok("media.encoder", f"{chosen.name} (these passed a test encode: {working})")


async def _fonts(ffmpeg: Ffmpeg, folder: Path) -> Finding:
    """Draw a word of every script and hear of which glyphs libass found none."""
    cues = [Cue(0, 9000, text) for text in SCRIPTS.values()]
    (folder / "scripts.ass").write_text(write_script(cues, Style(), 320, 180), encoding="utf-8")
    black = "color=black:s=320x180:d=0.1:r=10"
    run = await ffmpeg.run(
        ["-f", "lavfi", "-i", black, "-vf", "ass=scripts.ass", "-f", "null", "-"],
        folder,
        Limits(),
    )
    missing = [
        script
        for script, text in SCRIPTS.items()
        if any(ord(character) in run.missing_glyphs for character in text)
    ]
    if not missing:
        return ok("media.fonts", f"all of {', '.join(SCRIPTS)}")
    return warning(
        "media.fonts",
        f"no font has {', '.join(missing)}",
        "Such text is drawn as boxes; the job completes with the warning glyphs_missing.",
        FONTS,
    )
