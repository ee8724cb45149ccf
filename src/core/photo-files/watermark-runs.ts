/** After a change of the watermark, a run goes over all files, once. A row says how far it is, so that it survives restarts. */
import { eq, sql } from 'drizzle-orm'
import { settings } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import type { SiteSettings } from '../system/site-settings.ts'
import { watermarkHandle } from './job-handles.ts'
import type { PhotoFile } from './rows.ts'
import { isUpToDate, watermarkOf } from './watermark.ts'

const ROW = 'watermark_run'

/** The topic on the bus. */
export const WATERMARK_TOPIC = 'watermark_run'

export interface WatermarkRun {
  /** Of this run alone. */
  run: string
  /** `idle`: the watermark has never changed. */
  status: 'idle' | 'running' | 'completed'
  /** Files that need to change. Null until they have been counted. */
  total: number | null
  /** How many of these the run has come to, failed ones included. */
  done: number
  failed: number
  /** The id of the file that the run came to last, on its way from the newest to the oldest. Null at its beginning. */
  cursor: number | null
  /** RFC 3339, UTC. Null when it has never changed. */
  started: string | null
}

const NO_RUN: WatermarkRun = {
  run: '',
  status: 'idle',
  total: 0,
  done: 0,
  failed: 0,
  cursor: null,
  started: null,
}

/** The newest run. */
export async function readRun(ctx: Context): Promise<WatermarkRun> {
  const [row] = await ctx.db.select({ run: settings.value }).from(settings).where(eq(settings.key, ROW))
  return (row?.run ?? NO_RUN) as WatermarkRun
}

/** Call it in the transaction of every change of settings. When visitors see another watermark afterwards, a new run begins. */
export async function followWatermark(tx: Tx, before: SiteSettings, after: SiteSettings): Promise<void> {
  if (watermarkOf(before)?.id === watermarkOf(after)?.id) return
  const id = crypto.randomUUID()
  const started = new Date().toISOString()
  const run: WatermarkRun = { ...NO_RUN, run: id, status: 'running', total: null, started }
  await tx.db
    .insert(settings)
    .values({ key: ROW, value: run })
    .onConflictDoUpdate({ target: settings.key, set: { value: sql`excluded.value` } })
  await tx.queue.enqueue(tx, watermarkHandle, { run: id })
  tx.afterCommit(() => publishRun(tx, run))
}

/**
 * Stores how far a run is.
 * @returns false when a newer run has begun: then this one has to stop
 */
export async function storeRun(tx: Tx, run: WatermarkRun): Promise<boolean> {
  const rows = await tx.db
    .update(settings)
    .set({ value: run })
    .where(sql`${settings.key} = ${ROW} and ${settings.value}->>'run' = ${run.run}`)
    .returning({ key: settings.key })
  if (rows.length === 0) return false
  tx.afterCommit(() => publishRun(tx, run))
  return true
}

/** For a file whose processing has ended. */
export async function enqueueUnlessUpToDate(tx: Tx, file: PhotoFile): Promise<void> {
  const current = watermarkOf(await tx.services.settings.site.held(tx))
  if (isUpToDate(file, current)) return
  await tx.queue.enqueue(tx, watermarkHandle, { fileId: file.id })
}

const publishRun = ({ bus }: Context, run: WatermarkRun): void => bus.setState(WATERMARK_TOPIC, run)
