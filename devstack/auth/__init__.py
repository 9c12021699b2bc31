"""The part of Supabase Auth that signs users in: passwords, anonymous sign-in, sessions, admin."""
