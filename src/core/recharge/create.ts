import { sql } from 'drizzle-orm'
import { rechargeCodes } from '../../db/schema/index.ts'
import { Slices } from '../../util/slices.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { drawCode, hashOfCode, sealCode } from './texts.ts'

export interface NewCodes {
  amountMinor: number
  description: string
  maxUses: number
  /** Null for never. It may be in the past. */
  expiresAt: Date | null
}

export interface NewCode {
  uuid: string
  code: string
}

/** Drawing 10,000 codes takes some 0.3 s. */
const DRAWING_MS = 30_000

/**
 * Creates codes of one value, all or none of them.
 * @param codes of `drawCodes`
 */
export async function createCodes(
  ctx: Context,
  who: Actor,
  input: NewCodes,
  codes: DrawnCode[],
): Promise<void> {
  const rows = codes.map(({ uuid, hash, sealed }) => ({ uuid, hash, sealed }))
  const { amountMinor, description, maxUses, expiresAt } = input
  await transaction(ctx, async (tx) => {
    // `order by`, because rows of a join or a function may be stored in any order, and lists show the newest id first.
    await tx.db.execute(sql`
      insert into ${rechargeCodes}
        (uuid, code_hash, code_sealed, amount_minor, description, max_uses, expires_at, created_by)
      select (c->>'uuid')::uuid, c->>'hash', c->>'sealed', ${amountMinor}::bigint, ${description}::text, ${maxUses}::int,
        ${expiresAt?.toISOString() ?? null}::timestamptz, ${who.userId}::int
      from json_array_elements(${JSON.stringify(rows)}::text::json) with ordinality as codes(c, n)
      order by n`)
    const details = { codes: codes.length, amountMinor, maxUses, expiresAt: expiresAt?.toISOString() ?? null }
    audit(tx, who, { action: 'recharge_code.created', details })
  })
}

/** A code that is not stored yet. */
export interface DrawnCode extends NewCode {
  hash: string
  sealed: string
}

/** Draws codes, which takes long for many and needs no database. */
export async function drawCodes(ctx: Context, count: number): Promise<DrawnCode[]> {
  const slices = new Slices(DRAWING_MS)
  const drawn = new Map<string, DrawnCode>()
  while (drawn.size < count) {
    await slices.step()
    const code = drawCode()
    drawn.set(code, {
      uuid: Bun.randomUUIDv7(),
      code,
      hash: hashOfCode(ctx, code),
      sealed: sealCode(ctx, code),
    })
  }
  return [...drawn.values()]
}
