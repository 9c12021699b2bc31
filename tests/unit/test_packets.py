"""The list of packets that ffmpeg's framecrc writes."""

from __future__ import annotations

from pathlib import Path

from worker.media.packets import Track, read_timeline

HEAD = "#tb 0: 1/1000\n#tb 1: 1/48000\n"


def timeline(tmp_path: Path, lines: str) -> list[Track]:
    (tmp_path / "packets.txt").write_text(HEAD + lines)
    return read_timeline(tmp_path / "packets.txt").tracks


def test_a_track_lasts_from_its_first_packet_to_the_end_of_its_last(tmp_path: Path) -> None:
    lines = "0, 0, 80, 40, 9, 0x0\n0, 40, 40, 40, 9, 0x0, F=0x0\n1, 0, 0, 1024, 9, 0x0\n"
    assert timeline(tmp_path, lines) == [
        Track(2, 0.04, 0.12),
        Track(1, 0.0, 1024 / 48000),
    ]


def test_packets_that_are_not_shown_do_not_count(tmp_path: Path) -> None:
    lines = "0, -40, -40, 40, 9, 0x0, F=0x5\n0, 0, 0, 40, 9, 0x0\n"
    assert timeline(tmp_path, lines)[0] == Track(1, 0.0, 0.04)


def test_hidden_packets_in_the_middle_are_a_cut(tmp_path: Path) -> None:
    lines = "0, 0, 0, 40, 9, 0x0\n0, 40, 40, 40, 9, 0x0, F=0x5\n0, 80, 80, 40, 9, 0x0\n"
    assert timeline(tmp_path, lines)[0] == Track(2, 0.0, 0.12, cut=True)


def test_a_packet_without_bytes_is_no_frame_but_takes_its_time(tmp_path: Path) -> None:
    lines = "0, 0, 0, 40, 9, 0x0\n0, 40, 40, 40, 0, 0x0\n"
    assert timeline(tmp_path, lines)[0] == Track(1, 0.0, 0.08)


def test_a_packet_without_a_time_counts_and_stands_where_it_is_decoded(tmp_path: Path) -> None:
    lines = "0, 0, 0, 40, 9, 0x0\n0, 40, -9223372036854775808, 40, 9, 0x0\n"
    assert timeline(tmp_path, lines)[0] == Track(2, 0.0, 0.08, guessed=True)


def test_a_track_without_packets_keeps_its_place(tmp_path: Path) -> None:
    assert timeline(tmp_path, "1, 0, 0, 1024, 9, 0x0\n")[0] == Track()


def test_one_encrypted_packet_makes_an_encrypted_track(tmp_path: Path) -> None:
    lines = "0, 0, 0, 40, 9, 0x0\n0, 40, 40, 40, 9, 0x0, F=0x0, S=1, Encryption info, 9, 0x0\n"
    assert timeline(tmp_path, lines)[0] == Track(2, 0.0, 0.08, encrypted=True)
