"""Fairness between users: a model of the rule in a few lines, and the real SQL held against it.

Both are run through the same simulated days, in virtual time: users send jobs at rates of their
own, slots take what the queue gives them and keep it for a while.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import pytest

from tests.conftest import Db
from tests.integration.conftest import Claim, SqlWorker

USERS = 20
SLOTS = 8


class Queue(Protocol):
    """What is simulated: jobs are known by their user."""

    def insert(self, user: int) -> None: ...
    def claim(self) -> int | None: ...
    def finish(self, user: int) -> None: ...


class FairQueue:
    """Start-time fair queueing with a limit of running jobs per user, as simple as it can be said.

    A job's place is the greater of the clock and its user's last place plus one; the clock is the
    place in service. A user has at most ``limit`` places; each that is finished is passed on.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.ready: list[tuple[int, int, int]] = []  # place, number of the job, user
        self.places: dict[int, deque[int]] = defaultdict(deque)  # of waiting and running jobs
        self.running: dict[int, deque[int]] = defaultdict(deque)
        self.held: dict[int, deque[int]] = defaultdict(deque)
        self.numbers = count()

    def clock(self) -> int:
        in_service = [places[-1] for places in self.running.values() if places]
        return max(0, *in_service, self.ready[0][0] - 1 if self.ready else 0)

    def insert(self, user: int) -> None:
        number = next(self.numbers)
        if self.limit is not None and len(self.places[user]) >= self.limit:
            self.held[user].append(number)
        else:
            self.give_place(user, number)

    def give_place(self, user: int, number: int, after: int = -1) -> None:
        last = self.places[user][-1] if self.places[user] else -1
        place = max(self.clock(), after + 1, last + 1)
        self.places[user].append(place)
        heapq.heappush(self.ready, (place, number, user))

    def claim(self) -> int | None:
        if not self.ready:
            return None
        place, _, user = heapq.heappop(self.ready)
        self.running[user].append(place)
        return user

    def finish(self, user: int) -> None:
        """The user's oldest running job."""
        place = self.running[user].popleft()
        self.places[user].popleft()
        if self.held[user]:
            self.give_place(user, self.held[user].popleft(), after=place)


class SqlQueue:
    """The same on the real functions."""

    def __init__(self, db: Db, worker: SqlWorker, limit: int | None) -> None:
        db.admin.execute(
            "update video_worker.config set max_open_jobs_per_user = null,"
            " max_jobs_per_hour_per_user = null, max_running_jobs_per_user = %s",
            [limit],
        )
        self.db = db
        self.worker = worker
        self.ids = [db.new_user() for _ in range(USERS)]
        self.running: dict[int, list[Claim]] = defaultdict(list)

    def insert(self, user: int) -> None:
        self.db.new_job(self.ids[user])

    def claim(self) -> int | None:
        for claim in self.worker.claim():
            user = self.ids.index(claim.row["user_id"])
            self.running[user].append(claim)
            return user
        return None

    def finish(self, user: int) -> None:
        assert self.running[user].pop(0).complete() == "completed"


@dataclass
class Day:
    """What happened: who was served, in order, and how long each job had waited."""

    served: list[int] = field(default_factory=list)
    waits: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


def simulate(
    queue: Queue, demand: Sequence[float], *, jobs: int, seed: int, slots: int = SLOTS
) -> Day:
    """Users send jobs at these rates (jobs per unit of time); a job takes 0.5 to 1.5 units. Ends
    when so many jobs were claimed."""
    dice = random.Random(seed)
    day = Day()
    sent: dict[int, list[float]] = defaultdict(list)
    events: list[tuple[float, str, int]] = [
        (dice.expovariate(rate), "insert", user) for user, rate in enumerate(demand)
    ]
    heapq.heapify(events)
    free = slots
    while len(day.served) < jobs:
        now, what, user = heapq.heappop(events)
        if what == "insert":
            queue.insert(user)
            sent[user].append(now)
            heapq.heappush(events, (now + dice.expovariate(demand[user]), "insert", user))
        else:
            queue.finish(user)
            free += 1
        while free and (claimed := queue.claim()) is not None:
            free -= 1
            day.served.append(claimed)
            day.waits[claimed].append(now - sent[claimed].pop(0))
            heapq.heappush(events, (now + dice.uniform(0.5, 1.5), "finish", claimed))
    return day


def fair_shares(demand: Sequence[float], capacity: float) -> list[float]:
    """Max-min: nobody gets more than asked for, and what is left is shared alike."""
    shares = [0.0] * len(demand)
    left = sorted(range(len(demand)), key=lambda user: demand[user])
    while left:
        share = min(demand[left[0]], capacity / len(left))
        user = left.pop(0)
        shares[user] = share
        capacity -= share
    return shares


def jains_index(values: Sequence[float]) -> float:
    """1: all alike; 1/n: one has everything."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


# From half of an equal share up to eight of them: three times what the slots can do.
UNEQUAL = [SLOTS / USERS * factor for factor in [0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6, 8] * 2]


def fairness(day: Day, demand: Sequence[float]) -> float:
    """Jain's index of what each user got, in units of what was due to the user."""
    counted = day.served[len(day.served) // 10 :]  # after the first rush
    shares = fair_shares(demand, SLOTS)
    whole = sum(shares)
    got = Counter(counted)
    return jains_index([got[user] / len(counted) * whole / shares[user] for user in range(USERS)])


@pytest.mark.parametrize("limit", [None, 5, 1])
@pytest.mark.parametrize("seed", range(5))
def test_twenty_users_of_unequal_demand_get_equal_shares(limit: int | None, seed: int) -> None:
    day = simulate(FairQueue(limit), UNEQUAL, jobs=4000, seed=seed)
    assert fairness(day, UNEQUAL) >= 0.98


@pytest.mark.parametrize("limit", [None, 5, 1])
def test_the_sql_gives_equal_shares_too(db: Db, worker: SqlWorker, limit: int | None) -> None:
    day = simulate(SqlQueue(db, worker, limit), UNEQUAL, jobs=400, seed=7)
    assert fairness(day, UNEQUAL) >= 0.95


@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_sql_serves_in_the_order_of_the_model(
    db: Db, worker: SqlWorker, limit: int | None, seed: int
) -> None:
    ours = simulate(SqlQueue(db, worker, limit), UNEQUAL, jobs=200, seed=seed)
    models = simulate(FairQueue(limit), UNEQUAL, jobs=200, seed=seed)
    assert ours.served == models.served


def test_first_come_first_served_would_not_be_fair() -> None:
    """What the index says of a queue in the order of arrival: the test can fail."""

    class Fifo(FairQueue):
        def give_place(self, user: int, number: int, after: int = -1) -> None:
            self.places[user].append(0)
            heapq.heappush(self.ready, (0, number, user))

    day = simulate(Fifo(None), UNEQUAL, jobs=4000, seed=1)
    assert fairness(day, UNEQUAL) < 0.8


@pytest.mark.parametrize("limit", [None, 5])
def test_ten_thousand_jobs_of_one_user_delay_anothers_by_no_more_than_those_running(
    db: Db, worker: SqlWorker, limit: int | None
) -> None:
    queue = SqlQueue(db, worker, limit)
    flood, others = queue.ids[0], queue.ids[1:4]
    db.admin.execute(
        "insert into public.video_jobs (user_id, input_path, subtitle_path)"
        " select %s, %s || '/v', %s || '/s' from generate_series(1, 10000)",
        [flood, str(flood), str(flood)],
    )
    running = [queue.claim() for _ in range(3)]
    assert running == [0, 0, 0]
    for user in (1, 2, 3):
        queue.insert(user)
    assert [queue.claim() for _ in others] == [1, 2, 3]
    queue.finish(0)
    queue.insert(1)
    assert queue.claim() in (0, 1)


def first_wait(limit: int | None, backlog: int, seed: int) -> float:
    """How long a newcomer waits for the first job when another user has a backlog."""
    queue = FairQueue(limit)
    dice = random.Random(seed)
    for _ in range(backlog):
        queue.insert(0)
    first = [queue.claim() for _ in range(SLOTS)]
    ends = [(dice.uniform(0.5, 1.5), user) for user in first if user is not None]
    queue.insert(1)
    waited = 0.0
    while (user := queue.claim() if len(ends) < SLOTS else None) != 1:
        if user is not None:
            ends.append((waited + dice.uniform(0.5, 1.5), user))
            continue
        ends.sort()
        waited, done = ends.pop(0)
        queue.finish(done)
    return waited


@pytest.mark.parametrize("limit", [None, 5, 20])
@pytest.mark.parametrize("backlog", [10, 500])
def test_a_newcomer_waits_for_one_running_job_at_most(limit: int | None, backlog: int) -> None:
    """Not for the backlog: the first slot that becomes free is the newcomer's."""
    for seed in range(20):
        assert first_wait(limit, backlog, seed) <= 1.5
