import { Elysia, t } from 'elysia'
import { type AccountSummary, listAccounts, updateAccount } from '../../../core/accounts/administration.ts'
import type { Context } from '../../../core/context.ts'
import { toMinor } from '../../../core/money/ledger.ts'
import { guard } from '../../../http/authenticate.ts'
import { Page, pageOf, pageQuery } from '../../../http/models.ts'
import { factory } from '../../factory/contract.ts'
import { AdminUser } from '../../factory/models.ts'
import { presentAdminUser } from '../../factory/presenters.ts'
import { Role } from '../../factory/users/models.ts'
import * as study from '../../study/models.ts'
import * as studyPresenters from '../../study/presenters.ts'
import { Both, both } from '../both.ts'

const Query = t.Object({
  ...pageQuery,
  role: t.Optional(Role),
  is_active: t.Optional(t.BooleanString()),
  search: t.Optional(t.String({ maxLength: 100 })),
})

const Change = t.Object({
  role: t.Optional(Role),
  is_active: t.Optional(t.Boolean()),
  balance: t.Optional(t.Number({ minimum: 0, maximum: 1_000_000_000 })),
})

const presentStudyUser = ({ user }: AccountSummary) => studyPresenters.presentAdminUser(user)

export const adminUserRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/admin/users' })
    .use(guard(ctx))
    .get(
      '',
      async ({ query, request }) => {
        const { accounts, total } = await listAccounts(ctx, {
          page: query.page,
          pageSize: query.page_size,
          role: query.role,
          isActive: query.is_active,
          search: query.search,
        })
        return both(
          request,
          pageOf(accounts.map(presentStudyUser), total, query),
          pageOf(accounts.map(presentAdminUser), total, query),
        )
      },
      {
        auth: 'user.read',
        query: Query,
        detail: factory.describe({
          summary: 'List users (administrators)',
          tag: 'administration',
          response: Both(Page(study.AdminUser), Page(AdminUser)),
          errors: ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'VALIDATION_FAILED'],
        }),
      },
    )
    .put(
      '/:id',
      async ({ principal, params, body, request }) => {
        const summary = await updateAccount(ctx, principal, params.id, {
          role: body.role,
          isActive: body.is_active,
          balanceMinor: body.balance === undefined ? undefined : toMinor(body.balance),
        })
        return both(request, presentStudyUser(summary), presentAdminUser(summary))
      },
      {
        auth: 'user.update',
        params: t.Object({ id: t.String() }),
        body: Change,
        detail: factory.describe({
          summary: 'Change role, state or balance of a user (administrators)',
          tag: 'administration',
          example: { role: 'editor', is_active: true, balance: 200 },
          response: Both(study.AdminUser, AdminUser),
          errors: [
            'AUTHENTICATION_REQUIRED',
            'PERMISSION_DENIED',
            'NOT_FOUND',
            'VALIDATION_FAILED',
            'LAST_SUPER_ADMIN',
          ],
        }),
      },
    )
