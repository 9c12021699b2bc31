"""The fault campaign: real workers, a real Postgres and devstack, and everything that goes wrong.

    make faults                    every fault at every point once
    make faults SEEDS=6            six times, with other details each time
    make faults ONLY=killed        those whose name contains the word (or have the number)

`world.py` is where a run takes place, `wire.py` what breaks connections to Postgres and Storage,
`processes.py`, `database.py`, `machine.py`, `storage.py` and `people.py` hold the faults,
`invariants.py` what must be true after each. `test_faults.py` runs a few of them in `make test`.
"""
