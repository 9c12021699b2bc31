"""Supabase Storage: buckets, objects under RLS, signed URLs, and resumable uploads."""
