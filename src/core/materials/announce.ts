import type { Tx } from '../context.ts'
import { materialsHint } from './hints.ts'
import type { Material } from './rows.ts'

/** Tells the ranking of every server, after the commit, that a material became active or stopped being active. */
export function announce(tx: Tx, { id, type }: Pick<Material, 'id' | 'type'>, active: boolean): void {
  tx.afterCommit(() => tx.bus.publish(materialsHint, { id, type, active }))
}
