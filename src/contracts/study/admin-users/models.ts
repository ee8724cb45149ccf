import { type Static, t } from 'elysia'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const AdminUser = t.Object({
  id: t.Integer(),
  username: t.String(),
  email: t.String(),
  role: t.String(),
  is_active: t.Boolean(),
  created_at: Timestamp,
  last_login: nullable(Timestamp),
})
export type AdminUser = Static<typeof AdminUser>

named({ StudyAdminUser: AdminUser })
