import { eq, sql } from 'drizzle-orm'
import { prepared, preparedSql } from '../../db/prepared.ts'
import { materials } from '../../db/schema/index.ts'
import type { Body } from '../../storage/storage.ts'
import { chunkOf } from '../../util/chunk-of.ts'
import { type EventColumns, eventColumns, eventOf, withEvent } from '../channel/log.ts'
import type { Context, Tx } from '../context.ts'
import { singleStatement } from '../transaction.ts'
import { thumbnailHandle } from './job-handles.ts'
import { thumbnailKey } from './keys.ts'
import { type Material, measured } from './rows.ts'

const THUMBNAIL_BOX = { width: 640, height: 360 }

/** @returns undefined when the material has a thumbnail already, or was deleted */
async function findPending(ctx: Context, materialId: number): Promise<Material | undefined> {
  const [material] = await materialById(ctx.db).execute({ id: materialId })
  return material?.status === 'active' && material.thumbnailStatus === 'pending' ? material : undefined
}

const materialById = prepared((db) =>
  db
    .select()
    .from(materials)
    .where(eq(materials.id, sql.placeholder('id')))
    .prepare('material_by_id'),
)

/** How many pending thumbnails of one user are counted. Later ones all have the same priority. */
const MAX_TURNS = 1000

/** The number of pending thumbnails of the user of the material that the statement returns, as a part of the statement. */
export const pendingThumbnails = sql<number>`(
  select count(*)::int from (
    select from ${materials} other
    where other.user_id = ${materials}.user_id and other.status = 'active' and other.thumbnail_status = 'pending'
      and other.id <> ${materials}.id
    limit ${sql.raw(String(MAX_TURNS))}
  ) pending
)`

/**
 * Adds the job with a priority that is fair between users: the more pending thumbnails a user has, the lower it is, so that
 * the first thumbnail of every user comes before the second of any.
 */
export async function enqueueThumbnail(tx: Tx, { id }: Material, before: number): Promise<void> {
  await tx.queue.enqueue(tx, thumbnailHandle, { materialId: id }, { priority: -before })
}

/**
 * Makes the thumbnail of a material. It may run again after a crash; the result is the same object and one event.
 * @throws the error of rendering or of the storage, when another try may succeed
 */
export async function makeThumbnail(
  ctx: Context,
  materialId: number,
  { attempt, signal }: { attempt: number; signal: AbortSignal },
): Promise<void> {
  const material = await findPending(ctx, materialId)
  if (!material) return
  const local = await ctx.storage.openLocal(material.filePath, { signal })
  const output = `${local.scratch}/${material.id}.jpg`
  try {
    const facts = await ctx.imaging.preview(
      { input: local.path, output, kind: material.type, box: THUMBNAIL_BOX },
      signal,
    )
    const outcome = { status: 'completed', ...measured(material.type, facts) } as const
    await storeThumbnail(ctx, material, Bun.file(output).stream(), outcome)
  } catch (error) {
    if (!ctx.imaging.isFinal(error, attempt)) throw error
    await storePlaceholder(ctx, material, (error as { code?: string }).code ?? 'UNREADABLE')
  } finally {
    await local.dispose()
  }
}

/** Stores a placeholder as the thumbnail, and emits `thumbnail.failed`. */
export async function failThumbnail(ctx: Context, materialId: number, reason: string): Promise<void> {
  const material = await findPending(ctx, materialId)
  if (!material) return
  await storePlaceholder(ctx, material, reason)
}

async function storePlaceholder(ctx: Context, material: Material, reason: string): Promise<void> {
  const picture = await ctx.imaging.placeholder(material.type)
  await storeThumbnail(ctx, material, chunkOf(picture), { status: 'failed', reason })
}

const UNMEASURED = { durationSeconds: null, pages: null }

type Outcome =
  | ({ status: 'completed' } & Pick<Material, 'durationSeconds' | 'pages'>)
  | { status: 'failed'; reason: string }

/** Stores the picture, then updates the material and emits the event. */
async function storeThumbnail(
  ctx: Context,
  { userId, id }: Material,
  picture: Body,
  outcome: Outcome,
): Promise<void> {
  const thumbnailPath = thumbnailKey({ userId, id })
  await ctx.storage.write(thumbnailPath, picture)
  const { status } = outcome
  const { durationSeconds, pages } = status === 'completed' ? outcome : UNMEASURED
  const type = `thumbnail.${status}` as const
  const data = { materialId: id, thumbnailPath }
  const event = JSON.stringify(
    outcome.status === 'completed'
      ? ctx.presentEvent('thumbnail.completed', data)
      : ctx.presentEvent('thumbnail.failed', { ...data, reason: outcome.reason }),
  )
  const isStored = await singleStatement(ctx, async (db) => {
    const [row] = await setThumbnail(db).execute({
      ...{ id, status, thumbnailPath, durationSeconds, pages },
      ...{ type, event },
    })
    return { result: row !== undefined, event: row && eventOf(row, { userId, type }) }
  })
  if (isStored) return
  const [material] = await ctx.db
    .select({ status: materials.status })
    .from(materials)
    .where(eq(materials.id, id))
  // The material, or its user, was deleted while the picture was made, when there was no thumbnail to hide or delete yet.
  if (material?.status !== 'active') await ctx.storage.delete([thumbnailPath])
}

/** Changes nothing when the material has a thumbnail already, or was deleted. */
const setThumbnail = preparedSql<EventColumns>(
  'set_thumbnail',
  sql`
    with material as (
      update materials
      set thumbnail_status = ${sql.placeholder('status')}, thumbnail_path = ${sql.placeholder('thumbnailPath')},
        duration_seconds = coalesce(${sql.placeholder('durationSeconds')}::float8, duration_seconds),
        pages = coalesce(${sql.placeholder('pages')}::int, pages), updated_at = now()
      where id = ${sql.placeholder('id')} and status = 'active' and thumbnail_status = 'pending'
      returning id, user_id
    ), ${withEvent('material', sql.placeholder('type'), sql.placeholder('event'))}
    select ${eventColumns} from event`,
)
