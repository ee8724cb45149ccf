/** Who is signed in, and the connections that go with the session. */
import { batch, computed, signal } from '@preact/signals'
import {
  connectTabs,
  type LiveClient,
  type Rest,
  rest,
  Session,
  type SessionStore,
  type Status,
} from '../../../client/index.ts'
import { keep, kept } from './kept.ts'
import { language } from './language.ts'

const KEY = 'roost.session'

/** All tabs of the browser share one session. */
const store: SessionStore = {
  load: () => {
    const text = kept(KEY)
    return text === undefined ? undefined : JSON.parse(text)
  },
  save: (tokens) => keep(KEY, JSON.stringify(tokens)),
  clear: () => keep(KEY, undefined),
}

const url = location.origin

/** Requests without a session, for signing in and signing up. */
export const anonymous: Rest = rest({ url, language: () => language.value })

export interface Me {
  id: string
  email: string
  username: string
  full_name: string
  role: 'super_admin' | 'admin' | 'editor' | 'user'
  balance: number
  available_balance: number
  low_balance_threshold: number | null
}

interface SignedIn {
  session: Session
  api: Rest
  live: LiveClient
}

const signedIn = signal<SignedIn | undefined>(undefined)
/** Undefined until it has been fetched. */
export const me = signal<Me | undefined>(undefined)
export const status = signal<Status>('connecting')
/** Why the last session ended, for the page of the sign-in. */
export const endedBecause = signal<'expired' | 'revoked' | undefined>(undefined)

export const isSignedIn = computed(() => signedIn.value !== undefined)
export const isAdmin = computed(() => me.value?.role === 'admin' || me.value?.role === 'super_admin')
export const isEditor = computed(() => isAdmin.value || me.value?.role === 'editor')

/** The APIs, as the signed-in user. Only pages behind the sign-in use it. */
export const api = (): Rest => signedIn.peek()!.api
export const live = (): LiveClient => signedIn.peek()!.live

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
export async function beginWith(tokens: Parameters<typeof Session.of>[0]): Promise<void> {
  begin(await Session.of(tokens, { url, store }))
}

function begin(session: Session): void {
  const api = rest({ url, token: session.token, language: () => language.value })
  const live = connectTabs({ url, token: session.token, language: language.peek() })
  live.onStatus((next) => {
    status.value = next
  })
  live.on('user.updated', () => void loadMe())
  live.on('balance.changed', ({ data }) => {
    if (me.value) me.value = { ...me.value, balance: data.balance, available_balance: data.available_balance }
  })
  session.onEnd((reason) => {
    if (reason !== 'signed_out') endedBecause.value = reason === 'ended' ? 'expired' : 'revoked'
    end()
  })
  batch(() => {
    signedIn.value = { session, api, live }
    status.value = live.status
    endedBecause.value = undefined
  })
  void loadMe()
}

async function loadMe(): Promise<void> {
  const { data } = await api().factory.users.me.get()
  if (data) me.value = data.data
}

export const signOut = (): Promise<void> => signedIn.peek()!.session.signOut()

function end(): void {
  signedIn.peek()?.live.close()
  batch(() => {
    signedIn.value = undefined
    me.value = undefined
  })
}
