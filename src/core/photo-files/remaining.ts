import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'
import type { PhotoFile } from './rows.ts'

/**
 * How long it takes until a file is processed, as far as this server knows: the usual time of a photo, times the photos that
 * come first. The time in which the rest of an upload arrives is not included. Whole seconds; 0 when it has ended.
 */
export async function secondsRemaining(
  ctx: Context,
  { id, userId, status }: Pick<PhotoFile, 'id' | 'userId' | 'status'>,
): Promise<number> {
  if (status === 'completed' || status === 'failed') return 0
  const usual = ctx.services.processingTimes.milliseconds
  if (status === 'processing') return seconds(usual - (await elapsedOf(ctx, id)))
  // Users take turns, so each other user comes first as often as this one has waited, and once more.
  const [ahead] = await ctx.db.execute<{ own: number; others: number }>(sql`
    with waiting as (
      select user_id, id from photo_files where status in ('uploaded', 'processing') and id <> ${id}
    ), own as (
      select count(*) as n from waiting where user_id = ${userId} and id < ${id}
    ), others as (
      select count(*) as n from waiting where user_id <> ${userId} group by user_id
    )
    select own.n::int as own, coalesce((select sum(least(others.n, own.n + 1)) from others), 0)::int as others from own`)
  return seconds(usual * (ahead!.own + ahead!.others + 1))
}

async function elapsedOf(ctx: Context, id: number): Promise<number> {
  const [row] = await ctx.db.execute<{ ms: number }>(sql`
    select extract(epoch from now() - processing_started_at)::float8 * 1000 as ms from photo_files where id = ${id}`)
  return row?.ms ?? 0
}

/** A photo that takes longer than usual may end at any moment. */
const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))
