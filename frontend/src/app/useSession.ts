import type { Session } from '@supabase/supabase-js'
import { useEffect, useState } from 'react'
import { supabase } from '../supabase'

/** The session, null when nobody is signed in, undefined until that is known. */
export function useSession(): Session | null | undefined {
  const [session, setSession] = useState<Session | null>()
  useEffect(() => {
    const { data } = supabase.auth.onAuthStateChange((_, current) => setSession(current))
    return () => data.subscription.unsubscribe()
  }, [])
  return session
}
