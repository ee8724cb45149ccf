import type postgres from 'postgres'

const CHECK_MS = 10_000
/** Longer than any statement may take, and than the client waits for an answer. */
const STUCK_SECONDS = 20

/**
 * Ends connections of Roost that PostgreSQL would wait for without end: their client is gone in the middle of a message,
 * while something between the two keeps the socket open (a load balancer, a frozen machine). No timeout of PostgreSQL
 * covers that state, and the rows that such a transaction has locked stay locked. Every server looks for those of all.
 * @returns ends the watch
 */
export function endStuckConnections(client: postgres.Sql): () => void {
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    try {
      await client`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and usename = current_user and application_name like 'roost %'
          and state = 'active' and wait_event = 'ClientRead'
          and state_change < clock_timestamp() - make_interval(secs => ${STUCK_SECONDS}::int)`
    } catch {
      // The database is away, or this look was on such a connection: the next one is soon.
    } finally {
      looking = false
    }
  }
  const timer = setInterval(look, CHECK_MS)
  return () => clearInterval(timer)
}
