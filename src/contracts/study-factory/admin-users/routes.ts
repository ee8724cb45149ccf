import {
  type AccountSummary,
  findSummary,
  listAccounts,
  updateAccount,
} from '../../../core/accounts/administration.ts'
import type { Context } from '../../../core/context.ts'
import { toMinor } from '../../../core/money/amounts.ts'
import { deleteUser } from '../../../core/user-deletion/delete.ts'
import {
  type Body,
  type Call,
  chapter,
  type Params,
  type Query,
  type SignedCall,
} from '../../../http/chapter.ts'
import { Nothing, pageOf } from '../../../http/models.ts'
import * as factoryUsers from '../../factory/admin-users/presenters.ts'
import { factory } from '../../factory/contract.ts'
import * as studyUsers from '../../study/admin-users/presenters.ts'
import { study } from '../../study/contract.ts'
import { Both, both } from '../both.ts'
import { OneUser, USER_CHANGE, UserChange, UserId, Users, UsersQuery } from './models.ts'

const { routes, route } = chapter(factory, 'administration', { sharedWith: study })

export const adminUserRoutes = (ctx: Context) =>
  routes(ctx, '/admin/users')
    .get(
      '',
      listUsers,
      route({
        auth: 'user.read',
        summary: 'List users (administrators)',
        query: UsersQuery,
        response: Users,
      }),
    )
    .get(
      '/:id',
      showUser,
      route({
        auth: 'user.read',
        summary: 'Show a user (administrators)',
        params: UserId,
        response: OneUser,
      }),
    )
    .put(
      '/:id',
      changeUser,
      route({
        auth: 'user.update',
        summary: 'Change names, role, state or balance of a user (administrators)',
        params: UserId,
        body: UserChange,
        example: USER_CHANGE,
        response: OneUser,
        errors: [
          'LAST_SUPER_ADMIN',
          'OWN_ACCOUNT',
          'HIGHER_ROLE',
          'BALANCE_HELD',
          'USERNAME_TAKEN',
          'EMAIL_TAKEN',
        ],
      }),
    )
    .delete(
      '/:id',
      removeUser,
      route({
        auth: 'user.delete',
        summary: 'Delete an account with everything that belongs to it (super administrators)',
        params: UserId,
        response: Both(Nothing, Nothing),
        errors: ['LAST_SUPER_ADMIN', 'OWN_ACCOUNT', 'HIGHER_ROLE'],
      }),
    )

async function listUsers({ ctx, query, request }: Call & Query<typeof UsersQuery>) {
  const { accounts, total } = await listAccounts(ctx, {
    page: query.page,
    pageSize: query.page_size,
    role: query.role,
    isActive: query.is_active,
    search: query.search,
  })
  const study = accounts.map(({ user }) => studyUsers.presentAdminUser(user))
  const ofFactory = accounts.map(factoryUsers.presentAdminUser)
  return both(request, pageOf(study, total, query), pageOf(ofFactory, total, query))
}

async function showUser({ ctx, params, request }: Call & Params<typeof UserId>) {
  return presentOneUser(request, await findSummary(ctx, params.id))
}

async function changeUser({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof UserId> & Body<typeof UserChange>) {
  const summary = await updateAccount(ctx, principal, params.id, {
    username: body.username,
    email: body.email,
    displayName: body.full_name,
    role: body.role,
    isActive: body.is_active,
    balanceMinor: body.balance === undefined ? undefined : toMinor(body.balance),
  })
  return presentOneUser(request, summary)
}

async function removeUser({ ctx, principal, params, request }: SignedCall & Params<typeof UserId>) {
  await deleteUser(ctx, principal, params.id)
  return both(request, {}, {}, 'user_deleted')
}

const presentOneUser = (request: Request, summary: AccountSummary) =>
  both(request, studyUsers.presentAdminUser(summary.user), factoryUsers.presentAdminUser(summary))
