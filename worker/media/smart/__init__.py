"""Smart burn: only the spans that show subtitles are encoded again, the rest is copied bit for bit.

    in.bin ──ffmpeg, copy──▶ source.mp4 ──plan──▶ cut.mp4 ──ffmpeg, burn──▶ spans.mp4
                                 │                                             │
                                 └───────────────────merge─────────────────────┴──▶ out.mp4

ffmpeg first copies the input into an MP4 of its own making, so that everything after it reads one
well-formed container, whatever came. ``plan`` finds the spans: each begins at a frame before which
everything can be shown without it, and ends at an IDR frame. ``cut`` writes what must be decoded
for them; ffmpeg burns all spans in one run; ``merge`` writes ``source.mp4`` anew with the samples
of the spans exchanged. Timestamps, sound, edit list, rotation and metadata stay as they were: only
sample tables change. The new frames bring parameter sets of their own, under an id that the source
does not use; both stand in the one ``avcC`` box, and nothing in the stream itself.

``check`` holds the result against the packets of the source, and decodes every border. Whatever is
not exactly as planned is ``NotSmart``, and then the video is burned in full.

Python reads what came from the user (``plan``, ``merge``) in a confined process (``child``), as
ffmpeg does. Sources: ISO/IEC 14496-12 (boxes), 14496-15 (avcC), ITU-T H.264 (parameter sets).
"""
