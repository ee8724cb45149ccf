import { t } from 'elysia'
import { Page, pageQuery } from '../../../http/models.ts'
import { AdminUser } from '../../factory/admin-users/models.ts'
import { Role } from '../../factory/users/models.ts'
import * as study from '../../study/admin-users/models.ts'
import { Both } from '../both.ts'

export const UserId = t.Object({ id: t.String() })

export const UsersQuery = t.Object({
  ...pageQuery,
  role: t.Optional(Role),
  is_active: t.Optional(t.BooleanString()),
  search: t.Optional(t.String({ maxLength: 100 })),
})

export const UserChange = t.Object({
  role: t.Optional(Role),
  is_active: t.Optional(t.Boolean()),
  balance: t.Optional(t.Number({ minimum: 0, maximum: 1_000_000_000 })),
})
export const USER_CHANGE = { role: 'editor', is_active: true, balance: 200 }

export const OneUser = Both(study.AdminUser, AdminUser)
export const Users = Both(Page(study.AdminUser), Page(AdminUser))
