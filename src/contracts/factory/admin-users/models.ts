import { type Static, t } from 'elysia'
import { named } from '../../../http/openapi/schemas.ts'
import { Me } from '../users/models.ts'

export const AdminUser = t.Composite([Me, t.Object({ is_active: t.Boolean() })])
export type AdminUser = Static<typeof AdminUser>

named({ FactoryAdminUser: AdminUser })
