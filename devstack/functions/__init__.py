"""Edge Functions: those of the project, unchanged, each in a Deno process of its own."""
