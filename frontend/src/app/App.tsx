import { Center, Loader, MantineProvider } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { Route, Router, Switch } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { JobPage } from '../jobs/JobPage'
import { JobsPage } from '../jobs/JobsPage'
import { Header } from './Header'
import { SignIn } from './SignIn'
import { theme, variables } from './theme'
import { useSession } from './useSession'

// The editor brings the waveform, the player and the fonts' renderer along; the rest does not wait.
const EditorPage = lazy(() => import('../editor/EditorPage'))

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <Router hook={useHashLocation}>
        <Page />
      </Router>
    </MantineProvider>
  )
}

function Page() {
  const session = useSession()
  if (session === undefined) return <Waiting />
  if (session === null) return <SignIn />
  return (
    <div className="page">
      <Header user={session.user} />
      <main>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/jobs">
              <JobsPage />
            </Route>
            <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={id} />}</Route>
            <Route>
              <EditorPage key={session.user.id} userId={session.user.id} />
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  )
}

function Waiting() {
  return (
    <Center h="60dvh">
      <Loader aria-label="Loading" />
    </Center>
  )
}
