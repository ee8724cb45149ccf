import type { nodes } from '../../db/schema/index.ts'

export type Node = typeof nodes.$inferSelect
