// A function in the older style, with a dependency and the caller's own rights.
import { createClient } from '@supabase/supabase-js'

Deno.serve(async (request) => {
  const supabase = createClient(
    Deno.env.get('SUPABASE_URL')!,
    Deno.env.get('SUPABASE_ANON_KEY')!,
    {
      global: {
        headers: { Authorization: request.headers.get('Authorization')! },
      },
    },
  )
  const { table } = await request.json()
  const { data, error } = await supabase.from(table).select('title')
  return Response.json({ data, error })
})
