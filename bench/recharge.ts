/**
 * Redemptions of recharge codes over HTTP, each code by one user, against a transaction of three inserted rows. The server has
 * one processor and its load another one. PostgreSQL may run on any.
 */
import type { Actor } from '../src/core/accounts/principals.ts'
import { createCodes, drawCodes } from '../src/core/recharge/create.ts'
import type { HttpClient } from './clients/http.ts'
import type { WriteFloor } from './servers/write-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const IN_FLIGHT = 8
const USERS = 40
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
/** Rounds that are not counted, in which the hot functions are compiled. */
const WARM_UP = 4
const FLOOR_MS = 1000
/** Of each connection in a round. */
const REDEMPTIONS = 50
const TARGET = 0.5

export async function recharge(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(await measure(kind))
  return rows
}

async function measure(kind: Kind): Promise<Row> {
  const [parts, floorParts] = [await freshParts(kind), await freshParts(kind)]
  const http = startWorker<HttpClient>('clients/http.ts', {}, 'load')
  try {
    const { users, codes } = await parts.prepare(async (ctx) => {
      const users = await seedUsers(ctx, USERS)
      const batch = { amountMinor: 1000, description: '', maxUses: 1, expiresAt: null }
      const batchSize = IN_FLIGHT * REDEMPTIONS * (ROUNDS + WARM_UP)
      const codes = await drawCodes(ctx, batchSize)
      await createCodes(ctx, creator(users[0]!.id), batch, codes)
      return { users, codes }
    })
    const floorUsers = await floorParts.prepare(async (ctx) =>
      (await seedUsers(ctx, USERS)).map(({ id }) => id),
    )
    const server = await startRoost(parts.env, 'server')
    const floor = startWorker<WriteFloor>('servers/write-floor.ts', floorParts.env, 'server')
    const redeem = (lane: number, n: number) => ({
      method: 'POST',
      path: '/api/recharge/redeem',
      token: users[(lane + n * IN_FLIGHT) % USERS]!.token,
      body: JSON.stringify({ code: codes.pop()!.code }),
    })
    const [readings, floors]: [number[], number[]] = [[], []]
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      const byHand = await floor.call('run', 'threeRows', floorUsers, IN_FLIGHT, FLOOR_MS)
      const requests = Array.from({ length: IN_FLIGHT }, (_, lane) =>
        Array.from({ length: REDEMPTIONS }, (_, n) => redeem(lane, n)),
      )
      const sent = await http.call('load', { port: server.port, requests, times: REDEMPTIONS })
      if (round <= 0) continue
      readings.push(sent.perSecond)
      floors.push(byHand.perSecond)
    }
    await Promise.all([server.stop(), floor.stop()])
    const ratio = ratios(readings, floors)
    return {
      name: `recharge, ${kind}: POST /api/recharge/redeem; floor: a transaction of three rows by hand`,
      figure: shown(spread(readings), '/s'),
      floor: shown(spread(floors), '/s'),
      ratio: shownWithSpread(ratio),
      target: `≥ ${TARGET}`,
      ok: ratio.median >= TARGET,
    }
  } finally {
    await http.stop()
    await Promise.all([parts.remove(), floorParts.remove()])
  }
}

const creator = (userId: number): Actor => ({
  userId,
  userUuid: '',
  username: 'bench',
  role: 'admin',
  sessionId: '',
  client: { ip: '127.0.0.1', userAgent: 'bench', requestId: 'bench' },
})
