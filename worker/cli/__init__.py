"""The command ``video-worker``: ``main`` puts it together, each command has a file of its own."""
