/** Who is signed in, and the connections that go with the session. */
import { batch, computed, effect, signal } from '@preact/signals'
import {
  connectTabs,
  dataOf,
  type LiveClient,
  localStorageStore,
  type Rest,
  rest,
  Session,
  type SessionEnd,
  type SignedIn,
  type Status,
} from '../../../client/index.ts'
import { language } from './language.ts'
import type { Role } from './roles.ts'
import { showError } from './toasts.ts'

/** All tabs of the browser share one session. */
const store = localStorageStore()
const url = location.origin

/** Requests without a session, for signing in and signing up. */
export const anonymous: Rest = rest({ url, language: () => language.value })

export interface Me {
  id: string
  email: string
  username: string
  full_name: string
  role: Role
  balance: number
  available_balance: number
  low_balance_threshold: number | null
}

interface Connections {
  session: Session
  api: Rest
  live: LiveClient
}

const connections = signal<Connections | undefined>(undefined)
/** Undefined until it has been fetched. */
export const me = signal<Me | undefined>(undefined)
export const status = signal<Status>('connecting')
/** Why the last session ended, for the page of the sign-in. Undefined while somebody is signed in. */
export const endedBecause = signal<SessionEnd | undefined>(undefined)

export const isSignedIn = computed(() => connections.value !== undefined)
export const isAdmin = computed(() => me.value?.role === 'admin' || me.value?.role === 'super_admin')
export const isEditor = computed(() => isAdmin.value || me.value?.role === 'editor')

/** The APIs, as the signed-in user. Only pages behind the sign-in use it. */
export const api = (): Rest => connections.peek()!.api
export const live = (): LiveClient => connections.peek()!.live
/** For requests that `api()` cannot send. `refused`: the server has refused the last one. */
export const accessToken = (refused: boolean): Promise<string | undefined> =>
  connections.peek()!.session.token(refused)

/** Goes on with the session that the browser keeps. @returns whether there is one */
export async function restoreSession(): Promise<boolean> {
  const session = await Session.restore({ url, store })
  if (session) begin(session)
  return session !== undefined
}

export async function signIn(login: string, password: string): Promise<void> {
  begin(await Session.signIn({ url, store, login, password, language: language.peek() }))
}

/** Begins with the tokens that another answer than that of a sign-in had. */
export async function beginWith(tokens: SignedIn): Promise<void> {
  begin(await Session.of(tokens, { url, store }))
}

function begin(session: Session): void {
  const api = rest({ url, token: session.token, language: () => language.value })
  const live = connectTabs({ url, token: session.token, language: language.peek() })
  live.onStatus((next) => {
    status.value = next
    // The server has closed the channel for good. The session finds out whether it has ended, and then says so.
    if (next === 'signed-out') void session.token(true).catch(showError)
  })
  followMe(api, live)
  session.onEnd((reason) => {
    endedBecause.value = reason
    end()
  })
  batch(() => {
    connections.value = { session, api, live }
    status.value = live.status
    endedBecause.value = undefined
  })
}

// The language of texts in events.
effect(() => connections.value?.live.setLanguage(language.value))

function followMe(api: Rest, live: LiveClient): void {
  const view = live.view({
    load: async (signal) => {
      const { data } = await dataOf(api.factory.users.me.get({ signal }))
      if (!signal.aborted) me.value = data
    },
    on: {
      'user.updated': () => void view.reload(),
      'balance.changed': ({ data: { balance, available_balance } }) => {
        if (me.value) me.value = { ...me.value, balance, available_balance }
      },
    },
    // The light of the connection tells it, and the view is loaded again when the server is back.
    onError: () => {},
  })
}

export const signOut = (): Promise<void> => connections.peek()!.session.signOut()

function end(): void {
  connections.peek()?.live.close()
  batch(() => {
    connections.value = undefined
    me.value = undefined
  })
}
