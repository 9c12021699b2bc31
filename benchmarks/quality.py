"""Which preset for burned web video? CPU seconds, bitrate and VMAF of real footage.

    make bench-quality        about six minutes

Presets are compared at the same quality: each is run at several CRFs, and the bitrate that it needs
for one VMAF is read off the line between them. VMAF compares with the source that has the same
subtitles drawn into it, so it judges the encoder alone. The last line is one JSON object.
"""

from __future__ import annotations

import json
import math
import statistics
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import imageio_ffmpeg

from benchmarks.footage import fetch_footage
from benchmarks.measure import CACHE, Cost, run, take_turns
from worker.media.encoder import QUALITIES, Quality
from worker.media.fonts import write_fontconfig

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
TARGET_VMAF = 94.0
CRFS = (18, 21, 24)
ROUNDS = 3
REFERENCE = "medium"
POINTS = {
    "ultrafast": Quality("ultrafast", 0),
    "superfast": Quality("superfast", 0),
    "superfast, mbtree": QUALITIES["standard"],
    "veryfast": Quality("veryfast", 0),
    "faster": Quality("faster", 0),
    "fast": Quality("fast", 0),
    "medium": Quality("medium", 0),
}
ASS = """[Script Info]
PlayResX: 384
PlayResY: 216
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BorderStyle, Outline, Alignment
Style: Default,Noto Sans,16,&H00FFFFFF,&H00000000,1,1,2
[Events]
Format: Start, End, Style, Text
Dialogue: 0:00:00.50,0:00:02.50,Default,The quick brown fox
Dialogue: 0:00:03.00,0:00:04.50,Default,jumps over the lazy dog.
"""


@dataclass
class Point:
    """One preset on one clip: CPU seconds, and kbit/s with VMAF at each CRF."""

    cpu: float
    curve: list[tuple[float, float]] = field(default_factory=list)

    def bitrate(self, vmaf: float) -> float:
        """The kbit/s that this quality takes: a line between VMAF and the logarithm of bitrate,
        through the two nearest measurements."""
        (rate, at), (other_rate, other_at) = sorted(self.curve, key=lambda m: abs(m[1] - vmaf))[:2]
        slope = math.log(other_rate / rate) / (other_at - at)
        return rate * math.exp(slope * (vmaf - at))


class Study:
    """Encodes and judges clips, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._env = {"FONTCONFIG_FILE": str(write_fontconfig(folder / "fontconfig"))}
        (folder / "s.ass").write_text(ASS)

    def encode(self, clip: Path, quality: Quality) -> Cost:
        more = ["-x264-params", quality.params] if quality.params else []
        return self._ffmpeg(
            *("-i", clip, "-vf", "ass=s.ass", "-an", "-c:v", "libx264", "-preset", quality.preset),
            *("-crf", quality.crf, *more, "-pix_fmt", "yuv420p", "-threads", 2, "out.mp4"),
        )

    def judge(self, clip: Path) -> tuple[float, float]:
        """kbit/s and mean VMAF of what was encoded last."""
        self._ffmpeg(
            *("-i", "out.mp4", "-i", clip, "-lavfi"),
            "[0:v]settb=AVTB,setpts=N[a];[1:v]ass=s.ass,settb=AVTB,setpts=N[b];"
            "[a][b]libvmaf=log_path=vmaf.json:log_fmt=json:n_threads=2",
            *("-f", "null", "-"),
        )
        log = json.loads((self._folder / "vmaf.json").read_text())
        output = self._folder / "out.mp4"
        _, seconds = imageio_ffmpeg.count_frames_and_secs(str(output))
        return output.stat().st_size * 8 / 1000 / seconds, log["pooled_metrics"]["vmaf"]["mean"]

    def compare(self, clip: Path) -> dict[str, Point]:
        """All presets, in turns."""
        middle = CRFS[len(CRFS) // 2]
        costs = take_turns(
            ROUNDS,
            **{
                name: partial(self.encode, clip, quality.changed(None, middle))
                for name, quality in POINTS.items()
            },
        )
        points = {name: Point(cost.cpu) for name, cost in costs.items()}
        for name, quality in POINTS.items():
            for crf in CRFS:
                self.encode(clip, quality.changed(None, crf))
                points[name].curve.append(self.judge(clip))
        return points

    def rate(self, clip: Path) -> dict[str, tuple[float, float, float]]:
        """CPU seconds, kbit/s and VMAF of the named qualities."""
        costs = take_turns(
            ROUNDS, **{name: partial(self.encode, clip, q) for name, q in QUALITIES.items()}
        )
        rated: dict[str, tuple[float, float, float]] = {}
        for name, quality in QUALITIES.items():
            self.encode(clip, quality)
            rated[name] = (costs[name].cpu, *self.judge(clip))
        return rated

    def _ffmpeg(self, *arguments: object) -> Cost:
        command = [FFMPEG, "-v", "error", "-y", *map(str, arguments)]
        return run(command, self._folder, self._env)


def print_presets(found: dict[str, dict[str, Point]]) -> dict[str, tuple[float, ...]]:
    """The table of presets; returns its last column."""
    print(f"CPU time at CRF {CRFS[1]} and bitrate for VMAF {TARGET_VMAF:g}, as shares of what")
    print(f"preset {REFERENCE} takes; on the right the medians.\n")
    print(f"| preset | {' | '.join(found)} | median |")
    print("|---|" + "---|" * (len(found) + 1))
    medians = {}
    for name in POINTS:
        pairs = [
            (
                points[name].cpu / points[REFERENCE].cpu,
                points[name].bitrate(TARGET_VMAF) / points[REFERENCE].bitrate(TARGET_VMAF),
            )
            for points in found.values()
        ]
        medians[name] = tuple(statistics.median(column) for column in zip(*pairs, strict=True))
        cells = [f"{cpu:.2f}, {rate:.2f}" for cpu, rate in (*pairs, medians[name])]
        print(f"| {name} | {' | '.join(cells)} |")
    return medians


def print_qualities(rated: dict[str, dict[str, tuple[float, float, float]]]) -> None:
    print("\nThe named qualities: CPU seconds, kbit/s, VMAF.\n")
    print(f"| quality | {' | '.join(rated)} |")
    print("|---|" + "---|" * len(rated))
    for name, quality in QUALITIES.items():
        cells = ["{:.1f}, {:.0f}, {:.1f}".format(*rates[name]) for rates in rated.values()]
        print(f"| {name} ({quality.preset}, CRF {quality.crf}) | {' | '.join(cells)} |")


def main() -> None:
    footage = fetch_footage(CACHE / "footage")
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder))
        medians = print_presets({kind: study.compare(clip) for kind, clip in footage.items()})
        print_qualities({kind: study.rate(clip) for kind, clip in footage.items()})
    print(
        json.dumps(
            {
                name: {"cpu": round(cpu, 3), "bitrate": round(rate, 3)}
                for name, (cpu, rate) in medians.items()
            }
        )
    )


if __name__ == "__main__":
    main()
