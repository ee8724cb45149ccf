/**
 * What a channel knows of its user's webhooks. Every change of a webhook locks the channel first, so that it and the appends of
 * events come one after the other: an event that commits later gets its delivery.
 */
import { sql } from 'drizzle-orm'
import type { Tx } from '../context.ts'

export async function lockChannel({ db }: Pick<Tx, 'db'>, userId: number): Promise<void> {
  await db.execute(sql`
    insert into channels (user_id, last_seq) values (${userId}, 0)
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
