/** Reads the counts that triggers keep: src/db/schema/statistics.ts. */
import { type SQL, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import type { Context } from '../context.ts'

const BATCH = 10_000

/** The counts of these kinds, as a relation with the columns `kind`, `id`, `name`, `n` and `total`. */
export const countsOf = (kinds: readonly string[], where: SQL = sql`true`): SQL => {
  const some = sql`kind in (${sql.join(
    kinds.map((kind) => sql.raw(`'${kind}'`)),
    sql`, `,
  )}) and ${where}`
  return sql`(
    select kind, id, name, sum(n)::float8 as n, sum(total)::float8 as total
    from (select * from counts where ${some} union all select * from count_changes where ${some}) each
    group by kind, id, name having sum(n) <> 0 or sum(total) <> 0
  )`
}

export interface Count {
  kind: string
  id: number
  name: string
  n: number
  total: number
}

/** Their numbers, and their totals, added up. */
export const sumOfCounts = (counts: readonly Count[]): Pick<Count, 'n' | 'total'> =>
  counts.reduce((sum, { n, total }) => ({ n: sum.n + n, total: sum.total + total }), { n: 0, total: 0 })

/**
 * A statement that reads the counts of these kinds, the most frequent first.
 * @param more relations with the columns of `countsOf`, which the same statement reads
 */
export function readerOfCounts(name: string, kinds: readonly string[], more: readonly SQL[] = []) {
  const statement = preparedSql<Count>(
    name,
    sql`${sql.join(
      [countsOf(kinds), ...more].map((relation) => sql`select * from ${relation} c`),
      sql` union all `,
    )} order by n desc, id, name`,
  )
  return ({ db }: Context): Promise<Count[]> => statement(db).execute({})
}

/** Adds what has changed to the counts. Several servers may do so at once. */
export async function foldCounts(ctx: Context): Promise<void> {
  for (;;) {
    const [folded] = await ctx.db.execute<{ n: number }>(sql`
      with gone as (
        delete from count_changes where ctid = any(array(select ctid from count_changes limit ${BATCH} for update skip locked))
        returning *
      ), folded as (
        insert into counts select kind, id, name, sum(n), sum(total) from gone group by kind, id, name
        order by kind, id, md5(name)
        on conflict (kind, id, md5(name)) do update set n = counts.n + excluded.n, total = counts.total + excluded.total
      )
      select count(*)::int as n from gone`)
    if (folded!.n < BATCH) break
  }
  await ctx.db.execute(sql`delete from counts where n = 0 and total = 0`)
}

/**
 * Compares the counts with all rows that count (src/db/schema/statistics.ts), and corrects them. Servers may change rows meanwhile.
 * @returns how many counts were wrong
 */
export async function recount(ctx: Context): Promise<number> {
  return ctx.db.transaction(async (tx) => {
    await tx.execute(sql`set local statement_timeout = 0`)
    const [corrected] = await tx.execute<{ n: number }>(sql`select recount() as n`)
    return corrected!.n
  })
}
