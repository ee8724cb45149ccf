import type postgres from 'postgres'

const CHECK_MS = 10_000
/** Longer than any statement may take, and than the client waits for an answer. */
const STUCK_SECONDS = 20

/**
 * Ends connections of Roost whose client is gone in the middle of a message, while something between client and database
 * (a load balancer, a frozen machine) keeps the socket open. PostgreSQL waits for the rest of the message without a limit,
 * and the transaction keeps its rows locked. Each server looks for such connections of all servers.
 * @returns a function that ends the watch
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
      // The database is away, or this query was sent on a broken connection. The next look follows in seconds.
    } finally {
      looking = false
    }
  }
  const timer = setInterval(look, CHECK_MS)
  return () => clearInterval(timer)
}
