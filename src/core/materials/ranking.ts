import { and, eq, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type MaterialChange, materialsHint } from './hints.ts'
import type { MaterialType } from './rows.ts'

export type SortBy = 'createdAt' | 'viewCount' | 'likeCount'

interface Order {
  /** Ids of active materials, ascending by the sort value, then by id. */
  ids: number[]
  /** When the order was read, by the monotonic clock. */
  at: number
  loading: Promise<void> | undefined
  /** A material changed during the load, so that the loaded order may lack the change. */
  changed: boolean
}

const NEVER = Number.NEGATIVE_INFINITY
/** Every read changes a count, so an order by counts may be this old. */
const COUNTS_FRESH_MS = 2000
/** Hints apply creations and deletions at once. A load at this interval corrects what a lost hint missed. */
const CREATION_FRESH_MS = 30_000

/**
 * The order of all active materials, in memory, so that page 1,000 costs as much as page 1; an OFFSET would read twenty
 * thousand rows. A hundred thousand materials take less than a megabyte for each order in use.
 */
export class MaterialRanking {
  private readonly orders = new Map<string, Order>()

  constructor(private readonly ctx: Context) {
    ctx.bus.subscribe(materialsHint, (change) => this.apply(change))
  }

  /** The ids of one page, and the number of all materials. */
  async page(query: {
    type: MaterialType | undefined
    sortBy: SortBy
    sortOrder: 'asc' | 'desc'
    page: number
    pageSize: number
  }): Promise<{ ids: number[]; total: number }> {
    const { ids } = await this.order(query.type, query.sortBy)
    const start = (query.page - 1) * query.pageSize
    const total = ids.length
    if (query.sortOrder === 'asc') return { ids: ids.slice(start, start + query.pageSize), total }
    return {
      ids: ids.slice(Math.max(0, total - start - query.pageSize), Math.max(0, total - start)).reverse(),
      total,
    }
  }

  private async order(type: MaterialType | undefined, sortBy: SortBy): Promise<Order> {
    const key = `${sortBy}:${type ?? ''}`
    let order = this.orders.get(key)
    if (!order) {
      order = { ids: [], at: NEVER, loading: undefined, changed: false }
      this.orders.set(key, order)
    }
    const fresh = sortBy === 'createdAt' ? CREATION_FRESH_MS : COUNTS_FRESH_MS
    // At most two loads: the first may have begun before a change that this client knows of.
    for (let tries = 0; tries < 2 && performance.now() - order.at > fresh; tries++) {
      const stale = order
      order.loading ??= this.load(stale, type, sortBy).finally(() => {
        stale.loading = undefined
      })
      await order.loading
    }
    return order
  }

  private async load(order: Order, type: MaterialType | undefined, sortBy: SortBy): Promise<void> {
    const column = {
      createdAt: materials.id,
      viewCount: materials.viewCount,
      likeCount: materials.likeCount,
    }[sortBy]
    const at = performance.now()
    order.changed = false
    // The subquery sorts, because an index can give that order; an ORDER BY inside the aggregate cannot use one.
    const ordered = this.ctx.db
      .select({ id: materials.id })
      .from(materials)
      .where(and(eq(materials.status, 'active'), type && eq(materials.type, type)))
      .orderBy(column, materials.id)
      .as('ordered')
    const [row] = await this.ctx.db
      .select({ ids: sql<number[]>`coalesce(json_agg(${ordered.id}), '[]')` })
      .from(ordered)
    order.ids = row!.ids
    order.at = order.changed ? NEVER : at
  }

  private apply({ id, type, active }: MaterialChange): void {
    for (const [key, order] of this.orders) {
      const [sortBy, only] = key.split(':')
      if (only && only !== type) continue
      order.changed = true
      if (sortBy !== 'createdAt') {
        order.at = NEVER
        continue
      }
      const index = lowerBound(order.ids, id)
      const there = order.ids[index] === id
      if (active && !there) order.ids.splice(index, 0, id)
      if (!active && there) order.ids.splice(index, 1)
    }
  }
}

/** Index of the first element that is at least `id`. */
function lowerBound(ids: number[], id: number): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ids[middle]! < id) low = middle + 1
    else high = middle
  }
  return low
}
