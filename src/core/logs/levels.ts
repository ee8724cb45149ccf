/** The levels that clients name, from the lowest. */
export const LEVEL_NAMES = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const
export type Level = (typeof LEVEL_NAMES)[number]

/** The place of pino's number in {@link LEVEL_NAMES}. */
export const levelIndex = (level: number): number =>
  level < 30 ? 0 : level < 40 ? 1 : level < 50 ? 2 : level < 60 ? 3 : 4
