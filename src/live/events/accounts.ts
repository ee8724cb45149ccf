import type { AccountEvents } from '../../core/accounts/events.ts'
import { snakeCase } from '../../util/case.ts'
import { deviceOf } from '../../util/device.ts'
import type { EventPresenters } from './presenters.ts'

/** What contracts call fields whose name is another one there. */
const NAMES: Record<string, string> = { displayName: 'full_name', lowBalanceMinor: 'low_balance_threshold' }
const presentField = (field: string) => NAMES[field] ?? snakeCase(field)

/** The browser and the computer of a session. Unknown texts are empty. */
export const presentDevice = (userAgent: string | null) => {
  const { browser, browserVersion, os, osVersion, type } = deviceOf(userAgent)
  return { browser, browser_version: browserVersion, os, os_version: osVersion, type }
}

export const accountEvents: EventPresenters<AccountEvents> = {
  'session.revoked': ({ sessionId, reason }) => ({ session_id: sessionId, reason }),
  'user.login': ({ user, sessionId, ip, userAgent }) => ({
    id: user.id,
    username: user.username,
    email: user.email,
    role: user.role,
    display_name: user.displayName,
    avatar_url: user.avatarUrl,
    session_id: sessionId,
    ip,
    device: presentDevice(userAgent ?? null),
  }),
  'user.updated': ({ fields }) => ({ fields: fields.map(presentField) }),
}
