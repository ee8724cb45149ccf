import { render } from 'preact'
import { corner } from './lib/corner.ts'
import { rescueFocus } from './lib/focus.ts'
import './lib/theme.ts'
import { isSignedIn, restoreSession } from './lib/session.ts'
import { Outlet } from './outlet.tsx'
import { Front } from './pages/front/front.tsx'
import { Shell } from './shell.tsx'
import { Confirmation } from './ui/dialog.tsx'
import { askBeforeLeaving } from './ui/leaving.ts'
import { Toasts } from './ui/toasts.tsx'

const App = () => {
  const Corner = corner.value
  return (
    <>
      {isSignedIn.value ? (
        <Shell>
          <Outlet />
        </Shell>
      ) : (
        <Front />
      )}
      {Corner && <Corner />}
      <Confirmation />
      <Toasts />
    </>
  )
}

rescueFocus()
askBeforeLeaving()
await restoreSession()
render(<App />, document.getElementById('app')!)
