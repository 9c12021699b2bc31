"""What a worker process of any contestant does with a job."""

from __future__ import annotations

import argparse
import asyncio
import os
import struct
import time
from dataclasses import dataclass

START = struct.Struct("q")
"""What is written to standard output as a job starts that tells: the monotonic clock, in ns."""


@dataclass(frozen=True)
class Arguments:
    """``slots`` jobs at the same time, each of which takes so many ``seconds``."""

    dsn: str
    slots: int
    seconds: float


def parse() -> Arguments:
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("slots", type=int)
    parser.add_argument("seconds", type=float)
    return Arguments(**vars(parser.parse_args()))


async def handle(tells: bool, seconds: float) -> None:
    if tells:
        os.write(1, START.pack(time.monotonic_ns()))
    if seconds:
        await asyncio.sleep(seconds)
