import { sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transferAfter } from '../money/transfers.ts'
import { networkOf } from '../rate-limits/keys.ts'
import { enforceFailureLimits, type Limit } from '../rate-limits/rate-limits.ts'
import { hashOfCode } from './texts.ts'

export interface Redeemed {
  uuid: string
  amountMinor: number
  /** Held amounts included. */
  balanceMinor: number
}

/**
 * Wrong codes of one user, and of one network, where a guesser may have many accounts. A code has 59 bits, so these limits only
 * keep the guesses from being a load.
 */
const limitsOf = ({ userId, client }: Actor): Limit[] => [
  { policy: 'redeem-user', key: String(userId), max: 10, windowMs: 10 * 60_000 },
  { policy: 'redeem-network', key: networkOf(client.ip), max: 100, windowMs: 60 * 60_000 },
]

/**
 * Adds the value of a code to the user's balance. Every code that the user cannot redeem gets the same error after the same
 * work: one that does not exist or has not the form of a code, and one that has expired, is disabled, is used up, or was redeemed
 * by this user before.
 * @throws AppError INVALID_RECHARGE_CODE, RATE_LIMITED
 */
export async function redeemCode(ctx: Context, who: Actor, code: string): Promise<Redeemed> {
  const hash = hashOfCode(ctx, code)
  const redeemed = await enforceFailureLimits(ctx, limitsOf(who), async () => {
    try {
      return await redeem(ctx, who, hash)
    } catch (error) {
      if (isInvalidCode(error)) return undefined
      throw error
    }
  })
  if (!redeemed) throw new AppError('INVALID_RECHARGE_CODE')
  return redeemed
}

const isInvalidCode = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'INVALID_RECHARGE_CODE'

async function redeem(ctx: Context, { userId }: Actor, hash: string): Promise<Redeemed> {
  const uuid = Bun.randomUUIDv7()
  const transfer = {
    kind: 'redemption',
    key: `redemption:${uuid}`,
    reference: uuid,
    createdBy: userId,
  } as const
  const redeemed = await redeemByHash(ctx, userId, transfer, { hash, uuid }).catch((error) => {
    // The user has redeemed the code before, so its use is rolled back.
    if (violatedConstraint(error) === 'redemptions_once') throw new AppError('INVALID_RECHARGE_CODE')
    throw error
  })
  if (!redeemed) throw new AppError('INVALID_RECHARGE_CODE')
  return { uuid, amountMinor: redeemed.amountMinor, balanceMinor: redeemed.balanceMinor }
}

const value = sql.placeholder

/**
 * Requests for one code wait for each other at its row. The one that comes next sees how often the code has been used by then,
 * because PostgreSQL evaluates the condition again after the wait.
 */
const redeemByHash = transferAfter(
  'redeem_code',
  sql`code as (
      update recharge_codes set used_count = used_count + 1
      where code_hash = ${value('hash')} and disabled_at is null and used_count < max_uses
        and (expires_at is null or expires_at > now())
      returning id, amount_minor
    ), paid as (
      insert into redemptions (uuid, code_id, user_id, amount_minor)
      select ${value('uuid')}::uuid, id, ${value('userId')}::int, amount_minor from code
      returning amount_minor as amount
    )`,
)
