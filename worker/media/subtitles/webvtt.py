"""WebVTT: cues with their settings, regions, classes and word times; segments joined.

https://www.w3.org/TR/webvtt1/, read more leniently: what a browser drops for a missing digit is a
cue here. Where a cue stands becomes one of nine positions with margins (``vtt_placement``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.media.cues import Cue, Look, Word, words_in
from worker.media.subtitles.markup import colour, combined, milliseconds, read_vtt_markup, tagged
from worker.media.subtitles.timed_text import (
    ARROWS,
    Block,
    arrow_blocks,
    lines_of,
    timestamp,
)
from worker.media.subtitles.vtt_placement import LINE_HEIGHT, placed, settings_of

TICKS = 90
"""MPEG timestamps per millisecond."""
TICKS_AROUND = 2**33
"""There are no more of them; then they begin anew."""

LONGEST_HEADING = 2000
"""Characters of a region that are looked at."""
HEADING = re.compile(r"^\ufeff?(WEBVTT|NOTE|STYLE|REGION|Region|X-TIMESTAMP-MAP)(?=[\s:=]|$)")
NEW_SEGMENT = re.compile("^\ufeff?WEBVTT$")
MAP_TICKS = re.compile(r"MPEGTS:(\d{1,19})")
MAP_LOCAL = re.compile(r"LOCAL:(?:(\d{1,9}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?")
RULE = re.compile(r"::cue\(([^()]*)\)\s*\{([^{}]*)\}")
SELECTOR = re.compile(r"^(?:c|v|lang)?(\.[\w-]+)$|^([biu])$")
ATTRIBUTE = re.compile(r"(\w{1,30})\s*[:=]\s*(\S+)")


@dataclass
class Headings:
    """What a file says beside its cues."""

    rules: dict[str, Look] = field(default_factory=dict)
    """The looks that its style sheets give to tags (``i``) and classes (``.loud``)."""
    regions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    segments: int = 0
    first_ticks: int = 0
    clocks: list[tuple[int, int]] = field(default_factory=list)
    """From which line on the times are how far behind those of the MPEG stream, in milliseconds."""

    def add_region(self, text: str) -> None:
        attributes = dict(ATTRIBUTE.findall(text[:LONGEST_HEADING]))
        self.regions[attributes.get("id", "")] = attributes

    def add_clock(self, line: str, at: int) -> None:
        ticks, local = MAP_TICKS.search(line), MAP_LOCAL.search(line)
        if ticks and local:
            self.first_ticks = self.first_ticks or int(ticks[1])
            around = int(ticks[1]) < self.first_ticks - TICKS_AROUND // 2
            stream = (int(ticks[1]) + around * TICKS_AROUND) // TICKS
            self.clocks.append((at, stream - milliseconds(*local.groups())))

    def offset(self, at: int) -> int:
        """By how much the times from line ``at`` on must be moved, so that all segments count from
        where the first one does: that is taken for the start of the video."""
        behind = next((behind for start, behind in reversed(self.clocks) if start <= at), 0)
        return behind - self.clocks[0][1] if self.clocks else 0


def read_vtt(text: str) -> tuple[list[Cue], list[int], int]:
    """The cues of a WebVTT file, the numbers of lines with text that belongs to no cue, and how
    many cues came twice, since they last from one of several joined segments into the next.

    Raises ``subtitles_incomplete``.
    """
    lines, headings = _read_headings(lines_of(text.replace("\0", "\ufffd")))
    cues = []
    ignored = []
    used = 0
    for block in arrow_blocks(lines):
        last = block.at + 1 + len(block.body) == len(lines)
        length = _length(block.body, last=last)
        # Right above the timing line there may be an identifier.
        ignored += [at + 1 for at in range(used, block.at - 1) if lines[at].strip()]
        used = block.at + 1 + length
        cues.append(_cue(block, "\n".join(block.body[:length]), headings))
    ignored += [at + 1 for at in range(used, len(lines)) if lines[at].strip()]
    if headings.segments < 2:
        return cues, ignored, 0
    once = list(dict.fromkeys(cues))
    return once, ignored, len(cues) - len(once)


def _length(body: Sequence[str], *, last: bool) -> int:
    """How many lines belong to the cue: up to an empty one. One of spaces is empty only where
    nothing but the next cue's identifier follows: YouTube's captions have them within texts.

    Of a cue that begins with empty lines, the text behind these is meant, unless it is the next
    cue's identifier; a browser would show nothing.
    """
    if "" in body:
        texts = [at for at, line in enumerate(body) if line.strip()]
        begin = texts[0] if body[0] == "" and texts else 0
        end = body.index("", begin) if "" in body[begin:] else len(body)
        identifier = begin > 0 and begin == len(body) - 1 and not last
        return 0 if identifier else end
    spaces_and_identifier = len(body) > 1 and body[-2].isspace()
    return len(body) - 2 * spaces_and_identifier


def _cue(block: Block, markup: str, headings: Headings) -> Cue:
    marked = read_vtt_markup(markup, block.start, block.end, headings.rules)
    height = (marked.text.count("\n") + 1) * LINE_HEIGHT
    placement = placed(block.settings, height, headings.regions)
    offset = headings.offset(block.at)
    return Cue(
        max(0, block.start + offset),
        max(0, block.end + offset),
        marked.text,
        marked.spans,
        tuple(Word(max(0, w.start + offset), max(0, w.end + offset), w.text) for w in marked.words),
        marked.placement or placement,
    )


def _read_headings(lines: list[str]) -> tuple[list[str], Headings]:
    """The same lines with headers, notes, style sheets and regions made blank, and understood."""
    headings = Headings()
    kept = list(lines)
    at = 0
    while at < len(lines):
        match = HEADING.match(lines[at])
        if match and (not at or not lines[at - 1].strip() or NEW_SEGMENT.match(lines[at])):
            start = at
            while at < len(lines) and lines[at].strip() and not _ends(match[1], lines[at]):
                at += 1
            kept[start:at] = [""] * (at - start)
            _understand(match[1], lines[start:at], start, headings)
        at += 1
    return kept, headings


def _ends(heading: str, line: str) -> bool:
    """A header without a blank line below it ends with the first cue."""
    return heading in ("WEBVTT", "X-TIMESTAMP-MAP") and bool(ARROWS[0].times(line))


def _understand(heading: str, lines: Sequence[str], at: int, headings: Headings) -> None:
    if heading == "STYLE":
        for selectors, declarations in RULE.findall("\n".join(lines)):
            for selector in selectors.split(","):
                if match := SELECTOR.match(selector.strip()):
                    name = match[1] or match[2]
                    look = combined(headings.rules.get(name, Look()), _look(declarations))
                    headings.rules[name] = look
    elif heading == "REGION":
        headings.add_region(" ".join(lines))
    elif heading != "NOTE":
        headings.segments += heading == "WEBVTT"
        for line in lines:
            if line.startswith("Region:"):  # an older form
                headings.add_region(line.removeprefix("Region:"))
            elif line.startswith("X-TIMESTAMP-MAP"):
                headings.add_clock(line, at)


def _look(declarations: str) -> Look:
    """The look of a style sheet's declarations, as far as it can be drawn."""
    values = dict(re.findall(r"([\w-]{1,30})\s*:\s*([^;]+)", declarations.lower()))
    weight = values.get("font-weight", "").strip()
    return Look(
        bold=weight == "bold" or (weight.isdigit() and int(weight) >= 600) or None,
        italic="italic" in values.get("font-style", "") or None,
        underline="underline" in values.get("text-decoration", "") or None,
        strike="line-through" in values.get("text-decoration", "") or None,
        color=colour(values.get("color", "")),
    )


def write_vtt(cues: Sequence[Cue]) -> str:
    """The cues as a WebVTT file; margins are left out."""
    looks = {span.look for cue in cues for span in cue.spans}
    colors = {look.color for look in looks if look.color}
    rules = [f"::cue(.{_class_of(color)}) {{ color: {color} }}" for color in sorted(colors)]
    if any(look.strike for look in looks):
        rules.append("::cue(.strike) { text-decoration: line-through }")
    blocks = ["WEBVTT\n", *(["\n".join(["STYLE", *rules]) + "\n"] if rules else [])]
    for cue in cues:
        times = f"{timestamp(cue.start, '.')} --> {timestamp(cue.end, '.')}"
        settings = settings_of(cue.placement) if cue.placement else ""
        text = tagged(cue, _tags, _escaped, _word_times(cue))
        blocks.append(f"{times}{settings}\n{text}\n")
    return "\n".join(blocks)


def _class_of(color: str) -> str:
    return f"rgb-{color[1:].lower()}"


def _tags(look: Look) -> list[str]:
    tags = [tag for tag, on in (("b", look.bold), ("i", look.italic), ("u", look.underline)) if on]
    if look.strike:
        tags.append("c.strike")
    if look.color:
        tags.append(f"c.{_class_of(look.color)}")
    return tags


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An empty line would end the cue.
    return re.sub("\n(?=\n)", "\n&nbsp;", text.replace("{\\", "&#123;\\"))


def _word_times(cue: Cue) -> dict[int, str]:
    """Timestamps by the index of the character that they stand before."""
    times = {}
    clock = cue.start
    for word, start, end in words_in(cue.text, cue.words):
        if word.start != clock:
            times[start] = f"<{timestamp(word.start, '.')}>"
        times[end] = f"<{timestamp(word.end, '.')}>"
        clock = word.end
    return times
