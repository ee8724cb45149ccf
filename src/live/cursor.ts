/** A position in a user's channel as clients see it: `epoch.seq`, opaque to them. */
export const formatCursor = (epoch: string, seq: number): string => `${epoch}.${seq}`

export const CURSOR_PATTERN = '^([0-9a-z]+)\\.(\\d{1,15})$'
const CURSOR = new RegExp(CURSOR_PATTERN)

/** @returns the sequence number, or why the server cannot go on from this cursor */
export function parseCursor(epoch: string, cursor: string): number | 'epoch' | 'unknown' {
  const match = CURSOR.exec(cursor)
  if (!match) return 'unknown'
  return match[1] === epoch ? Number(match[2]) : 'epoch'
}
