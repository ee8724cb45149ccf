import type { categories } from '../../db/schema/index.ts'

export type Category = typeof categories.$inferSelect

/** All categories together: every list shows all of them. */
export const MAX_CATEGORIES = 2000
/** Levels of the tree. */
export const MAX_LEVELS = 100

/** The ids from the root to the category itself. */
export const idsOf = (path: string): number[] => path.split('/').map(Number)
