import { t } from 'elysia'
import { Email, Page, pageQuery } from '../../../http/models.ts'
import { typed } from '../../../http/typed.ts'
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
  username: t.Optional(t.String({ minLength: 3, maxLength: 30, ...typed('name') })),
  email: t.Optional(Email),
  full_name: t.Optional(t.String({ minLength: 1, maxLength: 100, ...typed('name') })),
  role: t.Optional(Role),
  is_active: t.Optional(t.Boolean()),
  balance: t.Optional(t.Number({ minimum: 0, maximum: 1_000_000_000 })),
})
export const USER_CHANGE = { role: 'editor', is_active: true, balance: 200 }

export const OneUser = Both(study.AdminUser, AdminUser)
export const Users = Both(Page(study.AdminUser), Page(AdminUser))
