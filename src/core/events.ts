import type { AccountEvents } from './accounts/events.ts'
import type { AgendaEvents } from './agenda/events.ts'
import type { AgentEvents } from './agent/events.ts'
import type { BackupEvents } from './backup/events.ts'
import type { CategoryEvents } from './categories/events.ts'
import type { FileEvents } from './files/events.ts'
import type { MaterialEvents } from './materials/events.ts'
import type { MoneyEvents } from './money/events.ts'
import type { NodeEvents } from './nodes/events.ts'
import type { PhotoFileEvents } from './photo-files/events.ts'
import type { PhotoEvents } from './photos/events.ts'
import type { ReconciliationEvents } from './reconciliation/events.ts'
import type { TaskEvents } from './tasks/events.ts'
import type { WebhookEvents } from './webhooks/events.ts'

/**
 * Every event that core emits, with its data. A domain declares its own in its `events.ts`. `live/events/` makes the data
 * that clients see.
 */
export interface ChannelEvents
  extends AccountEvents,
    AgendaEvents,
    AgentEvents,
    BackupEvents,
    CategoryEvents,
    FileEvents,
    MaterialEvents,
    MoneyEvents,
    NodeEvents,
    PhotoEvents,
    PhotoFileEvents,
    ReconciliationEvents,
    TaskEvents,
    WebhookEvents {}
