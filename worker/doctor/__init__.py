"""What ``video-worker doctor`` looks at: settings, both database connections, Storage, ffmpeg and
the host. It changes nothing but an object of its own in bucket renders.

A check never raises for what it finds: it yields ``Finding``s. Where to read on: ``examination``.
"""
