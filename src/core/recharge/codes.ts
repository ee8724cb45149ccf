/** What administrators see and change of codes. */
import { desc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { countWithin } from '../../db/bounded-list.ts'
import type { Db } from '../../db/client.ts'
import { rechargeCodes } from '../../db/schema/index.ts'
import { readId } from '../../util/ids.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit, fieldsOf } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { type CodeStatus, codeStatus, type RechargeCode } from './rows.ts'
import { openCode } from './texts.ts'

/** The newest first. `total` counts to `MAX_COUNTED`. Pages lead further, because nothing else finds an older code. */
export async function listCodes(
  ctx: Context,
  filter: { page: number; pageSize: number; status?: CodeStatus | undefined },
): Promise<{ codes: RechargeCode[]; total: number }> {
  const where = filter.status && eq(codeStatus, filter.status)
  const { page, pageSize } = filter
  const [total, rows] = await Promise.all([
    countWithin(ctx.db, ctx.db.select({ one: sql`1` }).from(rechargeCodes).where(where)),
    selectCodes(ctx.db, where)
      .orderBy(desc(rechargeCodes.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return { codes: rows.map((row) => opened(ctx, row)), total }
}

/** @throws AppError NOT_FOUND */
export async function getCode(ctx: Context, id: string): Promise<RechargeCode> {
  const [row] = await selectCodes(ctx.db, codeKey(id))
  if (!row) throw notFound('recharge_code', id)
  return opened(ctx, row)
}

export interface CodeChange {
  isDisabled?: boolean | undefined
  description?: string | undefined
  /** Null for never. */
  expiresAt?: Date | null | undefined
}

/**
 * Changes the settings that are given. What has been redeemed stays redeemed.
 * @throws AppError NOT_FOUND
 */
export async function updateCode(
  ctx: Context,
  who: Actor,
  id: string,
  { isDisabled, description, expiresAt }: CodeChange,
): Promise<RechargeCode> {
  const fields = fieldsOf({ isDisabled, description, expiresAt })
  if (fields.length === 0) return getCode(ctx, id)
  const disabledAt = isDisabled === undefined ? undefined : isDisabled ? firstDisabled : null
  return transaction(ctx, async (tx) => {
    const [changed] = await tx.db
      .update(rechargeCodes)
      .set({ disabledAt, description, expiresAt })
      .where(codeKey(id))
      .returning({ uuid: rechargeCodes.uuid })
    if (!changed) throw notFound('recharge_code', id)
    const details = {
      fields,
      ...(isDisabled !== undefined && { isDisabled }),
      ...(expiresAt !== undefined && { expiresAt: expiresAt?.toISOString() ?? null }),
    }
    audit(tx, who, { action: 'recharge_code.updated', target: changed.uuid, details })
    return getCode(tx, id)
  })
}

/** A code that is disabled again keeps the time at which it was disabled first. */
const firstDisabled = sql`coalesce(${rechargeCodes.disabledAt}, now())`

/**
 * The number of the code that a path names.
 * @throws AppError NOT_FOUND
 */
export async function codeId(ctx: Context, id: string): Promise<number> {
  const [row] = await ctx.db.select({ id: rechargeCodes.id }).from(rechargeCodes).where(codeKey(id))
  if (!row) throw notFound('recharge_code', id)
  return row.id
}

/** The condition for the code with this id. */
function codeKey(id: string): SQL {
  const key = readId(id)
  if (key === undefined) return sql`false`
  return typeof key === 'number' ? eq(rechargeCodes.id, key) : eq(rechargeCodes.uuid, key)
}

const { codeHash: _, ...shown } = getTableColumns(rechargeCodes)
const selectCodes = (db: Db, where: SQL | undefined) =>
  db
    .select({ ...shown, status: codeStatus })
    .from(rechargeCodes)
    .where(where)

const opened = (
  ctx: Context,
  { codeSealed, ...row }: Omit<RechargeCode, 'code'> & { codeSealed: string },
): RechargeCode => ({ ...row, code: openCode(ctx, codeSealed) })
