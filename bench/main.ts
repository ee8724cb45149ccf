/**
 * `bun run bench [name…]`: load programs. Each prints its figures beside a floor that it measured in the same run, on the
 * same machine, in turns with the figure. Only the ratio can be compared with other machines. BENCH_DATABASE_URL adds
 * PostgreSQL, and BENCH_REDIS_URL Redis.
 */
import { agent } from './agent.ts'
import { cache } from './cache.ts'
import { chunked } from './chunked.ts'
import { dashboard } from './dashboard.ts'
import { dispatch } from './dispatch.ts'
import { fanout } from './fanout.ts'
import { heartbeats } from './heartbeats.ts'
import { idle } from './idle.ts'
import { ledger } from './ledger.ts'
import { logs } from './logs.ts'
import { materials } from './materials.ts'
import { photoSearch } from './photo-search.ts'
import { photos } from './photos.ts'
import { rateLimits } from './rate-limits.ts'
import { recharge } from './recharge.ts'
import { rest } from './rest.ts'
import { stalled } from './stalled.ts'
import { start } from './start.ts'
import { statistics } from './statistics.ts'
import { study } from './study.ts'
import { print, type Row } from './support/table.ts'
import { upload } from './upload.ts'
import { webhooks } from './webhooks.ts'
import { write } from './write.ts'

const programs: Record<string, () => Promise<Row[]>> = {
  start,
  rest,
  logs,
  limits: rateLimits,
  idle,
  fanout,
  stalled,
  dispatch,
  heartbeats,
  upload,
  webhooks,
  chunked,
  materials,
  search: photoSearch,
  photos,
  cache,
  statistics,
  study,
  agent,
  ledger,
  write,
  recharge,
  dashboard,
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(programs)
const unknown = chosen.filter((name) => !programs[name])
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. There are: ${Object.keys(programs).join(', ')}`)
  process.exit(2)
}

const rows: Row[] = []
let failed = false
for (const name of chosen) {
  const startedAt = performance.now()
  try {
    rows.push(...(await programs[name]!()))
    console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  } catch (error) {
    console.error(`${name} could not measure:`, error)
    failed = true
  }
}
print(rows)
process.exit(failed ? 1 : 0)
