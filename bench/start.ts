/** How long a start takes and how much memory it needs, with a new database and with an existing one. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StartFloor } from './servers/start-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds, type Parts } from './support/parts.ts'
import { cpuMs, peakRss, rss } from './support/readings.ts'
import { ratios, type Spread, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const ROUNDS = 3
const IDLE_MS = 60_000
const MB = 1024 * 1024
const TARGETS = {
  first: { ms: 2000, peakMb: 450 },
  next: { ms: 1000, peakMb: undefined },
}

interface Reading {
  ms: number
  cpu: number
  peakMb: number
}

export async function start(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const readings = { first: [] as Reading[], next: [] as Reading[] }
  const floors = { first: [] as Reading[], next: [] as Reading[] }
  let idleMb = 0
  for (let round = 0; round < ROUNDS; round++) {
    const [parts, floorParts] = [await emptyParts(kind), await emptyParts(kind)]
    try {
      for (const which of ['first', 'next'] as const) {
        const idleMs = which === 'next' && round === ROUNDS - 1 ? IDLE_MS : 0
        const { reading, mb } = await startOnce(parts, idleMs)
        readings[which].push(reading)
        if (idleMs > 0) idleMb = mb
        floors[which].push(await startFloor(floorParts))
      }
    } finally {
      await Promise.all([parts.remove(), floorParts.remove()])
    }
  }
  return [
    ...rowsOf(
      `start, ${kind}: first, on an empty ${dataNoun(kind)}`,
      readings.first,
      floors.first,
      TARGETS.first,
    ),
    ...rowsOf(`start, ${kind}: next`, readings.next, floors.next, TARGETS.next),
    {
      name: `start, ${kind}: memory after a minute without requests`,
      figure: `${idleMb.toFixed(0)} MB`,
      floor: '',
      ratio: '',
      target: '',
      ok: undefined,
    },
  ]
}

const dataNoun = (kind: Kind) => (kind === 'embedded' ? 'directory' : 'database')

/** Without the prepared database with which other measurements begin. */
async function emptyParts(kind: Kind): Promise<Parts> {
  const parts = await freshParts(kind)
  rmSync(join(parts.env.DATA_DIR!, 'pg'), { recursive: true, force: true })
  return parts
}

async function startOnce(parts: Parts, idleMs: number): Promise<{ reading: Reading; mb: number }> {
  const server = await startRoost(parts.env)
  const reading = { ms: server.startMs, cpu: cpuMs(server.pid), peakMb: peakRss(server.pid) / MB }
  await Bun.sleep(idleMs)
  const mb = rss(server.pid) / MB
  await server.stop()
  return { reading, mb }
}

async function startFloor(parts: Parts): Promise<Reading> {
  const startedAt = performance.now()
  const floor = startWorker<StartFloor>('servers/start-floor.ts', parts.env)
  await floor.call('listen')
  const ms = performance.now() - startedAt
  const reading = { ms, cpu: cpuMs(floor.pid), peakMb: peakRss(floor.pid) / MB }
  await floor.stop()
  return reading
}

function rowsOf(
  name: string,
  readings: Reading[],
  floors: Reading[],
  target: { ms: number; peakMb: number | undefined },
): Row[] {
  const of = (all: Reading[], pick: keyof Reading) => all.map((reading) => reading[pick])
  const row = (what: string, pick: keyof Reading, unit: string, most?: number): Row => {
    const figure: Spread = spread(of(readings, pick))
    return {
      name: `${name}: ${what}`,
      figure: `${shownWithSpread(figure)} ${unit}`,
      floor: shown(spread(of(floors, pick)), unit),
      ratio: shownWithSpread(ratios(of(readings, pick), of(floors, pick))),
      target: most === undefined ? '' : `≤ ${most} ${unit}`,
      ok: most === undefined ? undefined : figure.median <= most,
    }
  }
  return [
    row('time', 'ms', 'ms', target.ms),
    row('CPU', 'cpu', 'ms'),
    row('peak memory', 'peakMb', 'MB', target.peakMb),
  ]
}
