import type { AccountEvents } from '../../core/accounts/events.ts'
import { snakeCase } from '../../util/case.ts'
import { deviceOf } from '../../util/device.ts'
import type { EventPresenters } from './presenters.ts'

/** Contracts call the display name `full_name`. */
const presentField = (field: string) => (field === 'displayName' ? 'full_name' : snakeCase(field))

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
