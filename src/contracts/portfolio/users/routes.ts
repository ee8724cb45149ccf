import { t } from 'elysia'
import { type CheckedAccount, checkAccount, getAccount } from '../../../core/accounts/accounts.ts'
import { addAccount, listAccounts, updateAccount } from '../../../core/accounts/administration.ts'
import { endUserSession, endUserSessions, listSessions } from '../../../core/accounts/session-list.ts'
import type { Context } from '../../../core/context.ts'
import { deleteUser } from '../../../core/user-deletion/delete.ts'
import {
  type Body,
  type Call,
  chapter,
  type Params,
  type Query,
  type SignedCall,
} from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { languageOf } from '../../../http/language.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio } from '../contract.ts'
import { Id } from '../ids.ts'
import {
  ListedUser,
  NewUser,
  SessionId,
  SessionsEnd,
  SessionsQuery,
  UserChange,
  UserSession,
  UsersQuery,
} from './models.ts'
import { presentListedUser, presentUserSession } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'users', { limit: 'admin' })

const SORT_BY = {
  created_at: 'createdAt',
  username: 'username',
  email: 'email',
  last_login_at: 'lastLoginAt',
} as const

export const userRoutes = (ctx: Context) =>
  routes(ctx, '/users')
    .get(
      '',
      listUsers,
      route({
        auth: 'user.read',
        summary: 'List users with their roles and last sign-ins',
        query: UsersQuery,
        response: PageEnvelope(t.Array(ListedUser)),
      }),
    )
    .post(
      '',
      idempotent(createUser, checkUser),
      route({
        auth: 'user.create',
        summary: 'Create an account for somebody else',
        body: NewUser,
        example: {
          username: 'editor',
          email: 'editor@example.com',
          password: 'password123',
          role: 'editor',
          display_name: '编辑者',
          is_active: true,
        },
        status: 201,
        response: Envelope(ListedUser),
        errors: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'HIGHER_ROLE'],
      }),
    )
    .get(
      '/:id',
      showUser,
      route({ auth: 'user.read', summary: 'Show a user', params: Id, response: Envelope(ListedUser) }),
    )
    .put(
      '/:id',
      changeUser,
      route({
        auth: 'user.update',
        summary: 'Change fields of an account',
        params: Id,
        body: UserChange,
        example: { display_name: '高级编辑者', role: 'admin', is_active: true },
        response: Envelope(ListedUser),
        errors: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'LAST_SUPER_ADMIN', 'OWN_ACCOUNT', 'HIGHER_ROLE'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({
        auth: 'user.delete',
        summary: 'Delete an account with everything that belongs to it',
        params: Id,
        status: 204,
        errors: ['OWN_ACCOUNT', 'LAST_SUPER_ADMIN', 'HIGHER_ROLE'],
      }),
    )
    .get(
      '/:id/sessions',
      listUserSessions,
      route({
        auth: true,
        summary: 'List the sessions of a user that have not ended',
        params: Id,
        query: SessionsQuery,
        response: PageEnvelope(t.Array(UserSession)),
        errors: ['PERMISSION_DENIED'],
      }),
    )
    .delete(
      '/:id/sessions',
      deleteUserSessions,
      route({
        auth: true,
        summary: 'End all sessions of a user',
        inMaintenance: true,
        params: Id,
        query: SessionsEnd,
        status: 204,
        errors: ['PERMISSION_DENIED', 'HIGHER_ROLE'],
      }),
    )
    .delete(
      '/:id/sessions/:session_id',
      deleteUserSession,
      route({
        auth: true,
        summary: 'End a session of a user',
        inMaintenance: true,
        params: SessionId,
        status: 204,
        errors: ['PERMISSION_DENIED', 'HIGHER_ROLE'],
      }),
    )

async function listUsers({ ctx, query, request }: Call & Query<typeof UsersQuery>) {
  const { page, limit, role, status, search } = query
  const { accounts, total } = await listAccounts(ctx, {
    page,
    pageSize: limit,
    role: role === 'all' ? undefined : role,
    isActive: status === 'all' ? undefined : status === 'active',
    search,
    sortBy: SORT_BY[query.sort_by],
    sortOrder: query.sort_order,
  })
  const users = accounts.map(({ user }) => presentListedUser(user))
  return pageEnvelope(request, users, total, query)
}

const checkUser = ({ ctx, body }: SignedCall & Body<typeof NewUser>): Promise<CheckedAccount> =>
  checkAccount(ctx, {
    email: body.email,
    password: body.password,
    username: body.username,
    displayName: body.display_name,
    role: body.role,
    isActive: body.is_active,
  })

async function createUser(
  { ctx, principal, request }: SignedCall & Body<typeof NewUser>,
  account: CheckedAccount,
) {
  const user = await addAccount(ctx, principal, account)
  return envelope(request, presentListedUser(user), 201)
}

async function showUser({ ctx, params, request }: Call & Params<typeof Id>) {
  return envelope(request, presentListedUser(await getAccount(ctx, params.id)))
}

async function changeUser(call: SignedCall & Params<typeof Id> & Body<typeof UserChange>) {
  const { ctx, principal, params, body, request } = call
  const language = languageOf(request, portfolio.language)
  const { user } = await updateAccount(ctx, principal, params.id, {
    username: body.username,
    email: body.email,
    displayName: body.display_name,
    role: body.role,
    isActive: body.is_active,
    password: body.password === undefined ? undefined : { text: body.password, language },
  })
  return envelope(request, presentListedUser(user))
}

async function deleteOne({ ctx, principal, params }: SignedCall & Params<typeof Id>) {
  await deleteUser(ctx, principal, params.id)
}

async function listUserSessions(call: SignedCall & Params<typeof Id> & Query<typeof SessionsQuery>) {
  const { ctx, principal, params, query, request } = call
  const { sessions, total } = await listSessions(ctx, principal, params.id, query)
  const shown = sessions.map((session) => presentUserSession(session, principal.sessionId))
  return pageEnvelope(request, shown, total, query)
}

async function deleteUserSessions({
  ctx,
  principal,
  params,
  query,
}: SignedCall & Params<typeof Id> & Query<typeof SessionsEnd>) {
  await endUserSessions(ctx, principal, params.id, { exceptCurrent: query.except_current })
}

async function deleteUserSession({ ctx, principal, params }: SignedCall & Params<typeof SessionId>) {
  await endUserSession(ctx, principal, params.id, params.session_id)
}
