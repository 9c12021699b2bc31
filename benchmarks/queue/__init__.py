"""How fast, steady and fair on the database the queue is, beside procrastinate and pgqueuer.

    make bench-queue         about eight minutes on two free cores

All contestants work on one Postgres with its default durability, each in databases of its own,
and take turns. Ours is the whole worker but for the video: claimer, listener, keeper, heart and
runner as in worker/service.py, with fencing, history, quotas and fairness at their defaults.

``contestants`` says what is installed and how a job is sent; ``worker_*`` are their processes;
``latency``, ``burn``, ``standing`` and ``age`` measure.

What is unequal: procrastinate and ours keep finished rows, pgqueuer deletes them. Ours writes
history, checks quotas and sends Realtime's broadcast; pgqueuer runs on uvloop, as its own command
does, and its "1 slot" is up to 2. Backlogs are filled without triggers.
"""
