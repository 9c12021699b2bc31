"""How often things happen: every interval of the queue hangs on one number, the lease."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rhythm:
    """All in seconds; behind each, what it is with the default lease of 60 s.

    The database reckons with these shares too: see ``is_dead`` in the migrations.
    """

    lease: float = 60.0

    @property
    def heartbeat(self) -> float:
        """Between signs of life of a job in work: 5."""
        return self.lease / 12

    @property
    def statement(self) -> float:
        """After which an unanswered statement counts as an outage: 20, and never more. The role's
        own statement_timeout (15 s) comes first where the server is alive."""
        return min(20.0, self.lease / 3)

    @property
    def check_in(self) -> float:
        """Between check-ins of a worker, at most: 6. With one late heartbeat, this is how long it
        takes to rescue a dead worker's jobs; it costs eleven statements a minute, whatever the
        slots."""
        return self.lease / 10

    @property
    def ping(self) -> float:
        """Between pings while notifications arrive: 30."""
        return self.lease / 2

    @property
    def ping_deadline(self) -> float:
        """Within which a ping must be heard: 10."""
        return self.lease / 6

    @property
    def poll(self) -> float:
        """Between polls while notifications don't arrive: 2. While they do, the check-in is the
        only poll: it says whether there is a job."""
        return self.lease / 30
