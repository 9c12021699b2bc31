"""Many callers, one statement: what is asked while one is under way goes together in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from worker.errors import DatabaseUnavailableError
from worker.queue.database import LockedError

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batch(Generic[Question, Answer]):
    """``ask_all`` answers questions in their order. Nobody waits for the sake of a fuller batch."""

    def __init__(
        self, ask_all: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]
    ) -> None:
        self._ask_all = ask_all
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer to this question. Raises what ``ask_all`` raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="batch")
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                await self._answer(together)
        finally:
            self._task = None

    async def _answer(self, together: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._ask_all([question for question, _ in together])
        except Exception as error:
            outage = isinstance(error, DatabaseUnavailableError)
            if len(together) > 1 and (isinstance(error, LockedError) or not outage):
                # One of them spoils it for all: each for itself.
                await asyncio.gather(*(self._answer([one]) for one in together))
                return
            for _, future in together:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(together, answers, strict=True):
            if not future.done():
                future.set_result(answer)
