import type { scheduleItems } from '../../db/schema/index.ts'

export type Item = typeof scheduleItems.$inferSelect
export type ItemStatus = Item['status']
export const ITEM_STATUSES = ['active', 'completed', 'cancelled'] as const satisfies readonly ItemStatus[]
