/**
 * What SQL migrations cannot do, because it needs the server's own code. Runs at every start, under the lock of the
 * migrations, and also for rows that servers of an older version add during a rolling upgrade.
 */
import type { Upgrade } from '../db/client.ts'
import { fillNameKeys } from './accounts/name-keys.ts'
import { fillNodeKeys } from './nodes/name-keys.ts'

export const upgrades: readonly Upgrade[] = [fillNameKeys, fillNodeKeys]
