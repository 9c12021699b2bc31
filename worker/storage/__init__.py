"""All that speaks to Supabase Storage.

Small objects and signed URLs go through the ``supabase`` client, large downloads and uploads are
streams that resume.
"""
