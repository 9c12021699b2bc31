"""Measures what the README states. Every figure is printed by a command of the Makefile.

``render`` compares whole burns with plain ffmpeg, with moviepy and with each other; ``segments``
compares one worker with two on a split video; ``quality`` compares encoder settings on real
footage; ``queue`` compares the queue with others, and ``scale`` loads it with many workers. Figures
are ratios of runs that took turns.
"""
