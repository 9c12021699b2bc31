"""The script that ffmpeg gets: ``make`` decides whose, ``ass`` writes ours from cues and a style.

``lines`` break where ``language`` lets them, ``faces`` name a font for each character, ``bidi``
keeps both directions in order, and ``event_text`` puts commands between the characters.
"""
