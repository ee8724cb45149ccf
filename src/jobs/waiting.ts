import { sql } from 'drizzle-orm'

export const JOBS_TABLE = 'pgboss.job'

/**
 * The jobs that wait or run, as a JSON object in each line. A given-up job whose end is not yet handled is one of its queue
 * again, so it gets another try.
 */
export const WAITING_JOBS = sql`
  select json_build_object(
    'queue', regexp_replace(name, '\\.dead$', ''), 'payload', data, 'key', singleton_key, 'turn', group_id,
    'priority', priority, 'start_after', case when state = 'created' and start_after > now() then start_after end
  )::text
  from pgboss.job where state in ('created', 'retry', 'active')`
