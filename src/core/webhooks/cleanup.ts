import { sql } from 'drizzle-orm'
import { webhookDeliveries, webhooks } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import type { Context } from '../context.ts'
import { type DeliveryError, MAX_PENDING } from './rows.ts'

/** How long deliveries are kept, whatever became of them. Until then the owner of the webhook can have one sent again. */
const KEEP_DAYS = 14

/** Deletes old deliveries, and those whose webhook is gone. */
export async function trimDeliveries({ db }: Context): Promise<number> {
  const old = await trim(
    db,
    webhookDeliveries,
    sql`select d.ctid from ${webhooks} w join webhook_deliveries d on d.webhook_id = w.id
      where d.created_at < now() - make_interval(days => ${KEEP_DAYS})`,
    'd',
  )
  const orphans = await trim(
    db,
    webhookDeliveries,
    sql`select d.ctid from webhook_deliveries d where not exists (select from ${webhooks} w where w.id = d.webhook_id)`,
    'd',
  )
  return old + orphans
}

const TOO_MANY: DeliveryError = 'TOO_MANY_WAITING'

/** Of more than MAX_PENDING deliveries that wait for one webhook, the oldest fail. @returns how many */
export async function limitBacklogs({ db }: Context): Promise<number | undefined> {
  const rows = await db.execute<{ id: string }>(sql`
    with crowded as materialized (
      select webhook_id, count(*)::int as waiting from webhook_deliveries where status = 'pending'
      group by webhook_id having count(*) > ${MAX_PENDING}
    ), oldest as materialized (
      select d.id from crowded c cross join lateral (
        select id from webhook_deliveries where webhook_id = c.webhook_id and status = 'pending'
        order by created_at, id limit c.waiting - ${MAX_PENDING} for update skip locked
      ) d
    )
    update webhook_deliveries d set status = 'failed', error = ${TOO_MANY} from oldest o where d.id = o.id returning d.id`)
  return rows.length || undefined
}
