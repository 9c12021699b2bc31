"""A text in the making, character by character, with looks and the times of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from worker.media.cues import Look, Span, Word, printable, trimmed_lines


@dataclass
class RichText:
    """``look`` is that of what is added next. Texts between two ``begin_word`` are a word."""

    look: Look = field(default_factory=Look)
    _characters: list[tuple[str, Look, int]] = field(default_factory=list)
    _word: int = 0

    def add(self, text: str) -> None:
        self._characters += [(character, self.look, self._word) for character in printable(text)]

    def begin_word(self) -> None:
        self._word += 1

    def finish(self) -> None:
        """Take the empty space around the lines away."""
        text = self.text
        characters: list[tuple[str, Look, int]] = []
        for number, (start, end) in enumerate(trimmed_lines(text)):
            if number:
                characters.append(self._characters[text.rindex("\n", 0, start)])
            characters += self._characters[start:end]
        self._characters = characters

    @property
    def text(self) -> str:
        return "".join(character for character, *_ in self._characters)

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(self._spans())

    def _spans(self) -> Iterator[Span]:
        at = 0
        for look, group in groupby(self._characters, key=lambda character: character[1]):
            length = len(list(group))
            if look != Look():
                yield Span(at, at + length, look)
            at += length

    def words(self, times: Sequence[tuple[int, int]]) -> tuple[Word, ...]:
        """The words, given the start and end of each, in milliseconds, in front of the first
        ``begin_word`` too."""
        found = []
        for number, group in groupby(self._characters, key=lambda character: character[2]):
            word = "".join(character for character, *_ in group).strip()
            if word:
                start, end = times[number]
                found.append(Word(start, end, word))
        return tuple(found)
