/**
 * What a channel knows of its user's webhooks. Every change of a webhook locks the channel first, so that it and the appends of
 * events come one after the other: an event that commits later gets its delivery.
 */
import { sql } from 'drizzle-orm'
import type { Tx } from '../context.ts'

/** The user's row comes first, as in every change of an account, which appends to the channel at its end. */
export async function lockChannel({ db }: Pick<Tx, 'db'>, userId: number): Promise<void> {
  await db.execute(sql`
    with owner as materialized (select id from users where id = ${userId} for key share)
    insert into channels (user_id, last_seq) select id, 0 from owner
    on conflict (user_id) do update set last_seq = channels.last_seq`)
}

/** Stores which active webhook gets which type of event, after a change of one. */
export async function storeHooks({ db }: Pick<Tx, 'db'>, userId: number): Promise<void> {
  await db.execute(sql`
    update channels set hooks = (
      select jsonb_object_agg(type, ids) from (
        select e.type, jsonb_agg(w.id order by w.id) as ids
        from webhooks w cross join unnest(w.events) e(type)
        where w.user_id = ${userId} and w.is_active group by e.type
      ) of_type
    ) where user_id = ${userId}`)
}
