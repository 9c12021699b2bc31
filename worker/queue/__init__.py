"""The queue: all that speaks SQL.

What it promises
----------------
* A job that was inserted ends exactly once: completed, failed or cancelled.
* A result is published only by the holder of the newest claim.
* A job whose worker died is taken over; one whose worker is slow is left alone.
* No user waits for another's backlog.
* A job starts at once: the insert notifies, and polling covers for a lost notification.

How
---
The row is the job. ``claim_jobs`` moves it to ``processing`` and writes a *lease* with a token that
the worker made. From then on every write names that token and is a compare-and-set in the database:
if the lease is gone, the answer is ``lost`` and nothing has changed. A paused worker that wakes up
after its job went to another can therefore do no harm: its heartbeat and its finish both hear
``lost``, and what it uploaded lies under a folder whose name holds its token, so it is garbage and
never the result. Because the worker makes the token, a claim whose reply was lost on the way can be
asked again and returns the same jobs.

The attempt is counted at the claim, not at the end, so a job that kills its worker every time runs
out of attempts like any other.

The only clock is the database's. A lease runs out on database time, and silence is counted only
from the database's own start, so an outage of the database makes nobody look dead.

Death and slowness look alike to a lease; waiting a minute for every crash is the price of not
punishing the slow. So the worker's listening session also holds an advisory lock. Postgres frees it
the moment the process dies, and then one late heartbeat is enough to take the job over. Without
the lock (listening through a transaction pooler), the lease alone decides.

A notification is a hint that may be lost. Every check-in (each 6 s, see ``rhythm``) also says
whether a job is ready, so that is the longest that a lost one costs. A listener that hears nothing,
not even its own pings, is found out within a minute. From then on the claimer polls every 2 s, says
so in the log and by a metric, and the listener connects anew and looks for jobs at once.

Fairness between users lives in the row's ``place``, see migrations/…_admission.sql.

Where to read on: ``claimer`` → ``jobs`` (the statements) → ``lease`` (the heartbeat) → ``outcome``
(how an attempt ends); ``listener`` and ``keeper`` run beside them.
"""
