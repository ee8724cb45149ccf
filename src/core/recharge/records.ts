import { count, desc, eq, type SQL } from 'drizzle-orm'
import { rechargeCodes, redemptions, users } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { codeId } from './codes.ts'
import { maskedCode, openCode } from './texts.ts'

export interface Redemption {
  uuid: string
  /** `OWL-****-****-XXXX`; empty when it was sealed with another secret than the server has now. */
  maskedCode: string
  amountMinor: number
  createdAt: Date
  user: { uuid: string; id: number; username: string }
}

interface Paging {
  page: number
  pageSize: number
}

/** What a user has redeemed, the newest first. */
export const listRedemptions = (ctx: Context, userId: number, paging: Paging) =>
  list(ctx, eq(redemptions.userId, userId), paging)

/**
 * Who has redeemed a code, the newest first.
 * @throws AppError NOT_FOUND
 */
export const listUses = async (ctx: Context, id: string, paging: Paging) =>
  list(ctx, eq(redemptions.codeId, await codeId(ctx, id)), paging)

async function list(
  ctx: Context,
  where: SQL,
  { page, pageSize }: Paging,
): Promise<{ redemptions: Redemption[]; total: number }> {
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(redemptions).where(where),
    ctx.db
      .select({
        uuid: redemptions.uuid,
        codeSealed: rechargeCodes.codeSealed,
        amountMinor: redemptions.amountMinor,
        createdAt: redemptions.createdAt,
        user: { uuid: users.uuid, id: users.id, username: users.username },
      })
      .from(redemptions)
      .innerJoin(rechargeCodes, eq(rechargeCodes.id, redemptions.codeId))
      .innerJoin(users, eq(users.id, redemptions.userId))
      .where(where)
      .orderBy(desc(redemptions.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return {
    redemptions: rows.map(({ codeSealed, ...row }) => ({
      ...row,
      maskedCode: maskedCode(openCode(ctx, codeSealed)),
    })),
    total: total!.n,
  }
}
