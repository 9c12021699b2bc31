"""The whole media path on folders of files, and the check that nothing got lost without a word.

``make corpus DIR=…`` (``__main__``) runs every file once; ``make fuzz SECONDS=…`` (``fuzz``) runs
mutated ones. Both use the worker's own pipeline in its sandbox (``bench``), with files of this
machine in place of Storage, and hold each result against its source (``losses``).
"""
