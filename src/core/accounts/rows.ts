import type { users } from '../../db/schema/index.ts'

export type User = typeof users.$inferSelect
