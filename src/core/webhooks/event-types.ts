/** Which types of events a webhook may get: docs/contracts/portfolio.md, "Webhooks". */
import { mayAll, type Role } from '../accounts/permissions.ts'
import { AppError } from '../errors.ts'

/**
 * Events of the site: a webhook gets them while its owner holds `webhook.*`. Every user may have a webhook for any other type,
 * because those tell what has happened to the user.
 */
const OF_THE_SITE: ReadonlySet<string> = new Set([
  'photo.created',
  'photo.updated',
  'photo.deleted',
  'category.created',
  'category.updated',
  'category.deleted',
  'user.login',
  'system.backup',
  'gpu.online',
  'gpu.offline',
  'ledger.unbalanced',
])

export const mayReceive = (role: Role, type: string): boolean =>
  !OF_THE_SITE.has(type) || mayAll(role, 'webhook')

/** @throws AppError EVENTS_OF_THE_SITE, which names those that this role may not have */
export function assertMayReceive(role: Role, types: readonly string[]): void {
  const denied = types.filter((type) => !mayReceive(role, type))
  if (denied.length === 0) return
  const events = [...new Set(denied)].join(', ')
  throw new AppError('EVENTS_OF_THE_SITE', {
    params: { requiredPermission: 'webhook.*', userRole: role, events },
  })
}
