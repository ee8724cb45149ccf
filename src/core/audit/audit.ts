/** Who did what to which: docs/operations.md, "Audit log". */
import { snakeCase } from '../../util/case.ts'
import type { Context, Tx } from '../context.ts'
import type { AuditAction, AuditActions } from './actions.ts'
import { appendEntries, type NewEntry } from './log.ts'
import { masked, maskedText } from './mask.ts'

/** Who sends a request. */
export interface Client {
  ip: string
  userAgent: string | undefined
  requestId: string
}

/** A user and where their request comes from. The `Actor` of a request is one. */
interface Author {
  userId: number
  username: string
  client: Client
}

/** Nobody has signed in, such as at a failed sign-in. */
interface Anonymous {
  userId?: never
  username?: never
  client: Client
}

interface Itself {
  userId?: never
  username?: never
  client: undefined
}

/** The server itself: a schedule, or a command of the operator. */
export const SERVER: Itself = { client: undefined }

export type AuditedBy = Author | Anonymous | Itself

export type AuditEntry<A extends AuditAction> = {
  action: A
  /** The id of the thing that `action` begins with. */
  target?: number | string | undefined
  /** The id of the user to whom the target belongs, or who is the target. */
  subject?: number | null | undefined
} & (Record<never, never> extends AuditActions[A]
  ? { details?: AuditActions[A] }
  : { details: AuditActions[A] })

/**
 * Records an action in the transaction of its change: both are stored, or neither. Call it for every write that needs a
 * permission, for every write to another user's data, and for every security event of an account.
 */
export function audit<A extends AuditAction>(tx: Tx, by: AuditedBy, entry: AuditEntry<A>): void {
  tx.record(entryOf(by, entry))
}

/** Records an action when `owner`, the user to whom the target belongs, is another user. */
export function auditForeign<A extends AuditAction>(
  tx: Tx,
  by: AuditedBy & { userId: number },
  entry: AuditEntry<A> & { subject: number },
): void {
  if (entry.subject !== by.userId) audit(tx, by, entry)
}

/** Records an action that changes nothing in the database. */
export async function auditAlone<A extends AuditAction>(
  ctx: Pick<Context, 'db'>,
  by: AuditedBy,
  entry: AuditEntry<A>,
): Promise<void> {
  await appendEntries(ctx.db, [entryOf(by, entry)])
}

/** The names of the fields that a change sets, for the details of an entry. */
export const fieldsOf = (change: object): string[] =>
  Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [snakeCase(name)]))

const MAX_USER_AGENT = 300

function entryOf<A extends AuditAction>(by: AuditedBy, entry: AuditEntry<A>): NewEntry {
  const { userId, username, client } = by
  return {
    actorId: userId ?? null,
    actorName: username ?? null,
    action: entry.action,
    targetType: entry.target === undefined ? null : entry.action.slice(0, entry.action.indexOf('.')),
    targetId: entry.target === undefined ? null : String(entry.target),
    subjectId: entry.subject ?? null,
    details: masked(entry.details ?? {}),
    ip: client?.ip ?? null,
    userAgent: client?.userAgent === undefined ? null : maskedText(client.userAgent, MAX_USER_AGENT),
    requestId: client?.requestId ?? null,
  }
}
