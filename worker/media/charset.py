"""Bytes of a text file to characters."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of its charset.

    A byte order mark decides; else UTF-8 if it is valid; else UTF-16 if every second byte is zero;
    else what the bytes look like. Raises ``ValueError`` when no charset fits.
    """
    for mark, charset in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(charset), charset.removesuffix("-sig")
    if utf16 := _utf16_without_mark(data):
        return data.decode(utf16), utf16
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    best = from_bytes(data).best()
    if best is None:
        raise ValueError("its character encoding is unknown; save it as UTF-8")
    return str(best), best.encoding


def _utf16_without_mark(data: bytes) -> str | None:
    """Plain ASCII in UTF-16 has a zero in every second byte; UTF-8 text has almost none."""
    sample = data[:4000]
    if len(sample) < 4:
        return None
    zeros_even, zeros_odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if zeros_odd > 0.4 * half and zeros_even < 0.05 * half:
        return "utf-16-le"
    if zeros_even > 0.4 * half and zeros_odd < 0.05 * half:
        return "utf-16-be"
    return None
