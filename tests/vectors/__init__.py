"""Cues, style and picture, and the exact ASS script that they make.

``NAME.json`` holds ``width``, ``height``, ``language`` (or null), ``style`` (what is left out has
the default of the options' schema) and ``cues`` (as in the cues' schema); ``NAME.ass`` is what
``write_script`` makes of them. They hold every other implementation of the writer to the same
bytes: the one in TypeScript reads them too. ``make vectors`` writes the scripts anew; look at the
diff.
"""
