// Knows who calls without asking the platform: by the public keys of Auth.
import { withSupabase } from '@supabase/server'

export default {
  fetch: withSupabase(
    { auth: 'user' },
    (_, { userClaims }) => Promise.resolve(Response.json({ id: userClaims?.id })),
  ),
}
