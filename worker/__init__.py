"""supabase-video-worker: one Postgres row is one video job."""

__version__ = "0.1.0"
