import { randomInt } from 'node:crypto'
import { and, count, desc, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { invitations, inviteCodes } from '../../db/schema/index.ts'
import { tidyCode } from '../../util/fold.ts'
import type { Actor } from '../accounts/principals.ts'
import { type AuditedBy, audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'

type Row = typeof inviteCodes.$inferSelect
export type InviteStatus = 'active' | 'disabled' | 'expired' | 'exhausted'
export type InviteCode = Row & { status: InviteStatus }

export interface InviteSettings {
  isActive?: boolean | undefined
  /** Null for no limit. */
  maxUses?: number | null | undefined
  /** Null for never. */
  expiresAt?: Date | null | undefined
}

/** docs/contracts/runtime.md, "Invite codes": 0, 1, I, L and O are left out, because readers confuse them. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const LENGTH = 8
const TRIES = 3

const drawCode = () => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** Matches a code as people type it. A text that does not have the form of a code matches nothing. */
function hasCode(code: string): SQL {
  const normal = tidyCode(code).toUpperCase()
  return /^[0-9A-Z]{8}$/.test(normal) ? eq(inviteCodes.code, normal) : sql`false`
}

export const createInviteCode = (ctx: Context, who: Actor, settings: InviteSettings): Promise<InviteCode> =>
  transaction(ctx, async (tx) => {
    const { maxUses = null, expiresAt = null } = settings
    const insert = () =>
      tx.db
        .insert(inviteCodes)
        .values({ code: drawCode(), createdBy: who.userId, maxUses, expiresAt })
        .onConflictDoNothing({ target: inviteCodes.code })
        .returning()
    let [row] = await insert()
    for (let tries = 1; !row && tries < TRIES; tries++) [row] = await insert()
    if (!row) throw new Error('no invite code is free')
    audit(tx, who, { action: 'invite_code.created', target: row.id, details: auditedSettings(settings) })
    return withStatus(row)
  })

/** The id and not the code is the target, because who knows the code can sign up with it. */
const auditedSettings = ({ isActive, maxUses, expiresAt }: InviteSettings) => ({
  ...(isActive !== undefined && { isActive }),
  ...(maxUses !== undefined && { maxUses }),
  ...(expiresAt !== undefined && { expiresAt: expiresAt?.toISOString() ?? null }),
})

/** Newest first. */
export async function listInviteCodes(
  ctx: Context,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<{ codes: InviteCode[]; total: number }> {
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(inviteCodes),
    ctx.db
      .select()
      .from(inviteCodes)
      .orderBy(desc(inviteCodes.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return { codes: rows.map(withStatus), total: total!.n }
}

/** @throws AppError NOT_FOUND */
export async function getInviteCode(ctx: Context, code: string): Promise<InviteCode> {
  const [row] = await ctx.db.select().from(inviteCodes).where(hasCode(code))
  if (!row) throw notFound('invite_code', code)
  return withStatus(row)
}

/**
 * Changes the settings that are given. A disabled code keeps its history.
 * @throws AppError NOT_FOUND
 */
export async function updateInviteCode(
  ctx: Context,
  by: AuditedBy,
  code: string,
  settings: InviteSettings,
): Promise<InviteCode> {
  const change = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  if (Object.keys(change).length === 0) return getInviteCode(ctx, code)
  return transaction(ctx, async (tx) => {
    const [row] = await tx.db.update(inviteCodes).set(change).where(hasCode(code)).returning()
    if (!row) throw notFound('invite_code', code)
    audit(tx, by, { action: 'invite_code.updated', target: row.id, details: auditedSettings(settings) })
    return withStatus(row)
  })
}

/** Counts a use and records the invited user. An invalid code is ignored, because it must never block a sign-up. */
export async function useInviteCode(tx: Tx, code: string, userId: number): Promise<void> {
  const [used] = await tx.db
    .update(inviteCodes)
    .set({ usedCount: sql`${inviteCodes.usedCount} + 1` })
    .where(
      and(
        hasCode(code),
        eq(inviteCodes.isActive, true),
        or(isNull(inviteCodes.maxUses), lt(inviteCodes.usedCount, inviteCodes.maxUses)),
        or(isNull(inviteCodes.expiresAt), gt(inviteCodes.expiresAt, sql`now()`)),
      ),
    )
    .returning({ id: inviteCodes.id })
  if (used) await tx.db.insert(invitations).values({ userId, inviteCodeId: used.id })
}

function withStatus(row: Row): InviteCode {
  const { isActive, maxUses, usedCount, expiresAt } = row
  if (!isActive) return { ...row, status: 'disabled' }
  if (expiresAt && expiresAt <= new Date()) return { ...row, status: 'expired' }
  if (maxUses !== null && usedCount >= maxUses) return { ...row, status: 'exhausted' }
  return { ...row, status: 'active' }
}
