import type { AccountEvents } from '../../core/accounts/events.ts'
import { snakeCase } from '../../util/case.ts'
import type { EventPresenters } from './presenters.ts'

/** Contracts call the display name `full_name`. */
const presentField = (field: string) => (field === 'displayName' ? 'full_name' : snakeCase(field))

export const accountEvents: EventPresenters<AccountEvents> = {
  'session.revoked': ({ sessionId, reason }) => ({ session_id: sessionId, reason }),
  'user.updated': ({ fields }) => ({ fields: fields.map(presentField) }),
}
