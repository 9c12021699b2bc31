"""ffmpeg's listing of an input, read line by line."""

from __future__ import annotations

import pytest

from worker.media.listing import read_listing

LOG = """\
Input #0, matroska,webm, from 'file:in.bin':
  Metadata:
    title           : Stream #0:9: Video: h264, yuv420p, 9x9
                    :   Stream #0:8: Video: h264, yuv420p, 8x8
  Duration: 00:01:02.50, start: 10.007000, bitrate: 252 kb/s
  Stream #0:0(eng): Audio: aac (HE-AAC), 44100 Hz, stereo, fltp
  Stream #0:1[0x1e0](und): Audio: none (ac-4 / 0x342D6361), 48000 Hz (default)
  Stream #0:2: Video: mjpeg (Baseline), yuvj444p(pc), 800x800, 90k tbr, 90k tbn (attached pic)
  Stream #0:3[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709, top first), \
1920x1080 [SAR 1:1 DAR 16:9], 718 kb/s, 1k fps, 29.97 tbr, 30k tbn (default)
    Metadata:
      alpha_mode      : 1
    Side data:
      DOVI configuration record: version: 1.0, profile: 8, level: 6, rpu flag: 1, el flag: 0, \
bl flag: 1, compatibility id: 4, compression: 0
  Stream group #0:0[0x4]: Track Reference:
    Stream #0:4: Data: bin_data (tmcd / 0x64636D74)
      Metadata:
        Stream #0:6: Video: h264, yuv420p, 6x6
  Stream group #0:1[0x5]: Tile Grid: hevc, 4032x3024
    Stream #0:5: Video: hevc (Main), yuv420p, 512x512
Stream mapping:
  Stream #0:3 -> #0:0 (copy)
Output #0, framecrc, to 'pipe:1':
  Stream #0:7: Video: h264, yuv420p, 7x7
"""


def test_the_container_and_its_times_are_read() -> None:
    listing = read_listing(LOG)
    assert (listing.container, listing.start, listing.duration) == ("matroska,webm", 10.007, 62.5)


def test_only_the_inputs_own_streams_count() -> None:
    assert [stream.index for stream in read_listing(LOG).streams] == [0, 1, 2, 3, 4]


def test_each_stream_says_what_it_is() -> None:
    sound, unreadable, cover, video, data = read_listing(LOG).streams
    assert (sound.kind, sound.codec, sound.readable, sound.default) == ("Audio", "aac", True, False)
    assert (unreadable.readable, unreadable.default) == (False, True)
    assert (cover.cover, cover.timed) == (True, False)
    assert (video.width, video.height, video.frame_rate) == (1920, 1080, 29.97)
    assert (video.interlaced, video.alpha, video.dolby_vision) == (True, True, 4)
    assert (data.kind, data.timed, data.width) == ("Data", True, 0)


@pytest.mark.parametrize(
    ("line", "encrypted"),
    [
        ("Video: none (drmi / 0x696D7264), 1920x1080", True),
        ("Video: h264 (encv / 0x76636E65), yuv420p, 1920x1080", True),
        ("Video: vp9, yuv420p, 320x240\n    Metadata:\n      enc_key_id      : AAAA", True),
        ("Video: h264 (avc1 / 0x31637661), yuv420p, 1920x1080", False),
    ],
)
def test_encryption_shows_in_its_own_ways(line: str, encrypted: bool) -> None:
    log = f"Input #0, mov, from 'file:in.bin':\n  Stream #0:0: {line}\n"
    assert read_listing(log).streams[0].encrypted is encrypted


@pytest.mark.parametrize(
    ("line", "readable"),
    [
        ("aac (LC), 48000 Hz, stereo, fltp", True),
        ("aac (LC), 3.0, fltp", False),
        ("aac, 0 channels, fltp", False),
        ("vorbis, 48000 Hz, 0 channels, fltp", False),
        ("none, 48000 Hz, 2 channels", False),
    ],
)
def test_sound_of_which_nothing_was_understood_is_not_readable(line: str, readable: bool) -> None:
    log = f"Input #0, mpegts, from 'file:in.bin':\n  Stream #0:0: Audio: {line}\n"
    assert read_listing(log).streams[0].readable is readable


def test_a_guessed_duration_is_none() -> None:
    guess = "[mpegts @ 0x1] Estimating duration from bitrate, this may be inaccurate\n"
    assert read_listing(guess + LOG).duration is None


def test_what_could_not_be_opened_has_no_container() -> None:
    assert read_listing("Error opening input: Invalid data found").container is None
