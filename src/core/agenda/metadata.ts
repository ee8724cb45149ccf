import { and, eq, inArray, isNull, or } from 'drizzle-orm'
import { type ItemMetadata, materials } from '../../db/schema/index.ts'
import { cutText } from '../../util/cut.ts'
import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'
import type { Material } from '../materials/rows.ts'

export type { ItemMetadata }

/** The version of metadata that is sent without one. */
const FIRST_VERSION = 1
const MAX_ATTACHMENTS = 20
const MAX_ID = 2_147_483_647

/** The fields of metadata. Other fields are refused, so that a later version can give them a meaning. */
const FIELDS: Record<keyof ItemMetadata, (value: unknown) => unknown> = {
  version: (value) => {
    if (!Number.isSafeInteger(value)) throw invalid('metadata.version', 'type', { expected: 'integer' })
    if ((value as number) < 1) throw invalid('metadata.version', 'minimum', { limit: 1 })
    return value
  },
  color: (value) => {
    if (typeof value !== 'string' || !/^#[0-9a-f]{6}$/i.test(value)) throw invalid('metadata.color', 'format')
    return value
  },
  location: (value) => text('metadata.location', value, 255),
  notes: (value) => text('metadata.notes', value, 2000),
  attachments: readAttachments,
}

/**
 * Checks the metadata that a client sends with an item. Of an attachment only the id is stored; other fields, as in an
 * answer that a client sends back, are dropped. A null counts as an absent field.
 * @throws AppError VALIDATION_FAILED
 */
export function readMetadata(input: Record<string, unknown>): ItemMetadata {
  const entries = Object.entries(input).filter(([, value]) => value !== null)
  if (entries.length === 0) return {}
  const read = entries.map(([name, value]) => {
    if (!Object.hasOwn(FIELDS, name)) throw invalid(`metadata.${cutText(name, 50)}`, 'unknown')
    return [name, FIELDS[name as keyof ItemMetadata](value)]
  })
  return { version: FIRST_VERSION, ...Object.fromEntries(read) }
}

function text(field: string, value: unknown, limit: number): string {
  if (typeof value !== 'string') throw invalid(field, 'type', { expected: 'string' })
  if (value.length > limit) throw invalid(field, 'max_length', { limit })
  return value
}

function readAttachments(value: unknown): { material_id: number }[] {
  const field = 'metadata.attachments'
  if (!Array.isArray(value)) throw invalid(field, 'type', { expected: 'array' })
  if (value.length > MAX_ATTACHMENTS) throw invalid(field, 'max_items', { limit: MAX_ATTACHMENTS })
  const ids = value.map((one: { material_id?: unknown } | null, n) => {
    const id = one?.material_id
    if (Number.isInteger(id) && (id as number) > 0 && (id as number) <= MAX_ID) return id as number
    throw invalid(`${field}.${n}.material_id`, 'type', { expected: 'integer' })
  })
  return [...new Set(ids)].map((id) => ({ material_id: id }))
}

const idsOf = (metadata: ItemMetadata): number[] =>
  (metadata.attachments ?? []).map((attachment) => attachment.material_id)

/** The fields of an attached file that clients see. */
export type Attachment = Pick<Material, 'id' | 'title' | 'type' | 'fileFormat' | 'fileSize'>

/** The files attached to a user's items, by their id. A file that is deleted, or another user's hidden file, is absent. */
export async function attachmentsOf(
  ctx: Context,
  userId: number,
  items: { metadata: ItemMetadata }[],
): Promise<Map<number, Attachment>> {
  const ids = [...new Set(items.flatMap(({ metadata }) => idsOf(metadata)))]
  if (ids.length === 0) return new Map()
  const { id, title, type, fileFormat, fileSize, status, removedAt } = materials
  const uploadedByUser = and(eq(materials.userId, userId), isNull(removedAt))
  const rows = await ctx.db
    .select({ id, title, type, fileFormat, fileSize })
    .from(materials)
    .where(and(inArray(id, ids), or(eq(status, 'active'), uploadedByUser)))
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * An attachment must be a file that the user has uploaded, or an active one. A file that was attached before may stay.
 * @throws AppError VALIDATION_FAILED
 */
export async function checkAttachments(
  ctx: Context,
  userId: number,
  metadata: ItemMetadata,
  before: ItemMetadata,
): Promise<void> {
  const kept = new Set(idsOf(before))
  const added = idsOf(metadata).filter((id) => !kept.has(id))
  const found = await attachmentsOf(ctx, userId, [
    { metadata: { attachments: added.map((id) => ({ material_id: id })) } },
  ])
  if (added.some((id) => !found.has(id))) throw invalid('metadata.attachments', 'attachment')
}
