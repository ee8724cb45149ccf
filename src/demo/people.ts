import { dataOf, type Rest, RoostError, rest, Session } from '../client/index.ts'
import { StartupError } from '../util/startup-error.ts'
import type { State } from './state.ts'

interface Login {
  who: string
  login: string
  password: string
}

export interface Accounts {
  /** As administrator. */
  admin: Rest
  /** As the user to whom nearly everything belongs. */
  user: Rest
  /** To be shown. */
  logins: Login[]
}

const ADMIN = 'admin@example.com'
const USER = 'demo@example.com'

/** The administrator, and a user who may add photos and courses. */
export async function makeAccounts(url: string, state: State): Promise<Accounts> {
  const admin = await signedIn(url, ADMIN, state.adminPassword)
  await state.once('user', async () => {
    const body = { email: USER, password: state.userPassword, full_name: 'Demo' }
    const { error } = await rest({ url }).factory.auth.register.post(body)
    if (error && error.code !== 'EMAIL_ALREADY_EXISTS') throw error
    const { data } = await dataOf(
      admin.factory.admin.users.get({ query: { page: 1, page_size: 1, search: USER } }),
    )
    await dataOf(admin.factory.admin.users({ id: data.items[0]!.id }).put({ role: 'editor' }))
  })
  return {
    admin,
    user: await signedIn(url, USER, state.userPassword),
    logins: [
      { who: 'User', login: USER, password: state.userPassword },
      { who: 'Administrator', login: ADMIN, password: state.adminPassword },
    ],
  }
}

async function signedIn(url: string, login: string, password: string): Promise<Rest> {
  let session = await Session.signIn({ url, login, password }).catch((error) => {
    if (!(error instanceof RoostError) || error.status !== 401) throw error
    throw new StartupError(
      `The password of ${login} has been changed. Start with --fresh, or name another directory.`,
    )
  })
  const token = async (refused: boolean) => {
    const access = await session.token(refused)
    if (access !== undefined) return access
    // Somebody has ended the session, for example from the page.
    session = await Session.signIn({ url, login, password })
    return (await session.token())!
  }
  return rest({ url, token, language: 'en' })
}
