"""A long video in segments: each can be encoded anywhere, and together they are one video.

    in.bin ──lay out──▶ heads.bin, sound.mp4            (who splits)
    a head + its range of in.bin ──encode──▶ segment    (anybody, for each)
    all segments + sound.mp4 ──join──▶ out.mp4          (who joins)

``layout`` finds the places where the video can be cut: keyframes before which every frame is shown
earlier, and after which every frame is shown later. The bytes of a segment's frames lie side by
side in the file that the user sent, with sound between them. So a segment is a *head*, an MP4's
index made for it alone, and a range of that file, which is all that its encoder downloads; with the
one behind the other ffmpeg reads them as a video. Its edit list gives every frame the time that it
has in the whole, so subtitles are drawn as in the whole.

``encode`` is a full burn of that, without sound, by x264 with settings under which it writes the
same parameter sets for every segment. ``join`` makes another head, over the encoded segments as
they are, and has ffmpeg copy their frames and the sound into the result. Nothing is put together by
ffmpeg's concat demuxer, which guesses where a file ends and leaves gaps: every frame has the time
that it had in the source.

What proves the result: an encoder's frames have exactly the times of the packets that it read, no
decoder had anything to complain of, and what was written is summed up in a digest of times, sizes
and checksums. The result must have just these frames, and the sound of the source. Whatever is not
so is ``Unfit``, and then the video is burned as a whole.

Python reads what came from users, and from Storage, in a confined process (``child``), as ffmpeg
does.
"""
