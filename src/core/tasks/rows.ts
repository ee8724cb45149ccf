import type { tasks } from '../../db/schema/index.ts'

export type Task = typeof tasks.$inferSelect
