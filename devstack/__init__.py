"""A Supabase on one local port, without Docker. README.md says what it is and what it is not."""
