"""All that speaks to ffmpeg, and what it is fed with.

``subtitles`` reads a user's file, ``ass`` writes it with a ``style`` as our own ASS script,
``probe`` says what a video is, ``render`` burns the one into the other, ``ffmpeg`` runs the
program.
"""
