/** The levels that clients name, and pino's numbers for them: from `from` to below `below`. */
export const LEVELS = {
  DEBUG: { from: 0, below: 30 },
  INFO: { from: 30, below: 40 },
  WARNING: { from: 40, below: 50 },
  ERROR: { from: 50, below: 60 },
  CRITICAL: { from: 60, below: Number.POSITIVE_INFINITY },
} as const

export type Level = keyof typeof LEVELS
export const LEVEL_NAMES = Object.keys(LEVELS) as Level[]

/** The place of pino's number in {@link LEVEL_NAMES}. */
export const levelIndex = (level: number): number =>
  level < 30 ? 0 : level < 40 ? 1 : level < 50 ? 2 : level < 60 ? 3 : 4
