"""The part of PostgREST that supabase-js reaches without resource embedding."""
