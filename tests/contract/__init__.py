"""One suite for any Supabase: it judges the devstack, and it can judge a hosted project."""
