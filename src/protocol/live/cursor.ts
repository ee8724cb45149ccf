/**
 * A position in a user's channel as clients see it: `epoch.seq`. The epoch names the database. Sequence numbers of one channel
 * have no gaps, so that a client can tell a repeated event and a lost one by them.
 */
export const formatCursor = (epoch: string, seq: number): string => `${epoch}.${seq}`

export const CURSOR_PATTERN = '^([0-9a-z]+)\\.(\\d{1,15})$'
const CURSOR = new RegExp(CURSOR_PATTERN)

export interface Position {
  epoch: string
  seq: number
}

/** @returns undefined for what is no cursor */
export function readCursor(cursor: string): Position | undefined {
  const match = CURSOR.exec(cursor)
  return match ? { epoch: match[1]!, seq: Number(match[2]) } : undefined
}

/** @returns the sequence number, or why the server cannot go on from this cursor */
export function parseCursor(epoch: string, cursor: string): number | 'epoch' | 'unknown' {
  const position = readCursor(cursor)
  if (!position) return 'unknown'
  return position.epoch === epoch ? position.seq : 'epoch'
}
