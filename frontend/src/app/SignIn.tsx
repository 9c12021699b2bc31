import {
  Alert,
  Anchor,
  Button,
  Card,
  Center,
  Divider,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { supabase } from '../supabase'
import { Logo } from './Logo'

export function SignIn() {
  const [isNew, setIsNew] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [notice, setNotice] = useState<string>()

  const run = async (action: () => Promise<{ error: Error | null; notice?: string }>) => {
    setBusy(true)
    setProblem(undefined)
    const result = await action()
    setProblem(result.error?.message)
    setNotice(result.notice)
    setBusy(false)
  }

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const credentials = { email: String(form.get('email')), password: String(form.get('password')) }
    void run(async () => {
      if (!isNew) return supabase.auth.signInWithPassword(credentials)
      const { data, error } = await supabase.auth.signUp(credentials)
      const confirm = !error && !data.session
      return { error, ...(confirm && { notice: 'Open the link that we have sent you by email.' }) }
    })
  }

  return (
    <Center component="main" mih="100dvh" p="md">
      <Card withBorder shadow="sm" p="xl" w="100%" maw={400}>
        <Stack>
          <Stack gap={4} align="center">
            <Logo size={40} />
            <Title order={1} size="h2">
              Subtitles
            </Title>
            <Text c="dimmed" size="sm">
              Write them, see them, burn them in.
            </Text>
          </Stack>
          <form onSubmit={submit}>
            <Stack>
              <TextInput
                label="Email"
                name="email"
                type="email"
                autoComplete="email"
                required
                withAsterisk={false}
              />
              <PasswordInput
                label="Password"
                name="password"
                autoComplete={isNew ? 'new-password' : 'current-password'}
                minLength={6}
                required
                withAsterisk={false}
              />
              {problem && (
                <Alert color="red" role="alert">
                  {problem}
                </Alert>
              )}
              {notice && <Alert role="status">{notice}</Alert>}
              <Button type="submit" loading={busy} fullWidth>
                {isNew ? 'Create account' : 'Sign in'}
              </Button>
            </Stack>
          </form>
          <Divider label="or" />
          <Button
            variant="default"
            disabled={busy}
            onClick={() => run(() => supabase.auth.signInAnonymously())}
          >
            Continue as a guest
          </Button>
          <Text size="sm" ta="center">
            {isNew ? 'You have an account?' : 'New here?'}{' '}
            <Anchor component="button" type="button" size="sm" onClick={() => setIsNew(!isNew)}>
              {isNew ? 'Sign in' : 'Create an account'}
            </Anchor>
          </Text>
        </Stack>
      </Card>
    </Center>
  )
}
