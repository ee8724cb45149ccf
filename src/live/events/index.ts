import type { ChannelEvents } from '../../core/events.ts'
import type { EventType } from '../../protocol/live/events.ts'
import { accountEvents } from './accounts.ts'
import { agendaEvents } from './agenda.ts'
import { agentEvents } from './agent.ts'
import { backupEvents } from './backup.ts'
import { categoryEvents } from './categories.ts'
import { fileEvents } from './files.ts'
import { materialEvents } from './materials.ts'
import { moneyEvents } from './money.ts'
import { nodeEvents } from './nodes.ts'
import { photoEvents } from './photos.ts'
import type { EventPresenters } from './presenters.ts'
import { reconciliationEvents } from './reconciliation.ts'
import { taskEvents } from './tasks.ts'
import { webhookEvents } from './webhooks.ts'

// The type of the key makes an event of core that the protocol does not know a compile error.
const presenters: EventPresenters<ChannelEvents> & Record<keyof ChannelEvents & string, unknown> = {
  ...accountEvents,
  ...agendaEvents,
  ...agentEvents,
  ...backupEvents,
  ...categoryEvents,
  ...fileEvents,
  ...materialEvents,
  ...moneyEvents,
  ...nodeEvents,
  ...photoEvents,
  ...reconciliationEvents,
  ...taskEvents,
  ...webhookEvents,
}

/** The `data` of an event as it is stored in the log and sent to clients. */
export const presentEvent = <T extends keyof ChannelEvents & EventType>(
  type: T,
  data: ChannelEvents[T],
): object => (presenters[type] as (data: ChannelEvents[T]) => object)(data)
