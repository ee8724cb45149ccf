import type { Context } from '../context.ts'
import { systemConfig } from '../system/settings.ts'
import { listNodes } from './nodes.ts'

export interface TaskType {
  name: string
  /** Minor units for each minute of running. */
  priceMinor: number
  /** How many nodes that take tasks offer it. */
  nodes: number
}

/** The task types that nodes offer, also those that are away, and those that have a price. In order of their names. */
export async function listTaskTypes(ctx: Context): Promise<TaskType[]> {
  const [{ taskPrices }, nodes] = await Promise.all([systemConfig(ctx), listNodes(ctx)])
  const offered = new Map(Object.keys(taskPrices).map((name) => [name, 0]))
  for (const { taskTypes, online, draining } of nodes) {
    const takes = online && !draining ? 1 : 0
    for (const name of taskTypes) offered.set(name, (offered.get(name) ?? 0) + takes)
  }
  const prices = new Map(Object.entries(taskPrices))
  return [...offered]
    .map(([name, nodes]) => ({ name, priceMinor: prices.get(name) ?? 0, nodes }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
