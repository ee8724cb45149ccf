/** How much is stored, from the sizes that rows have: docs/contracts/portfolio.md, "Statistics". */
import { sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { preparedSql } from '../../db/prepared.ts'
import { users } from '../../db/schema/index.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'
import { type Count, countsOf, readerOfCounts } from './counts.ts'

export const STORED_KINDS = ['original', 'rendition', 'copy', 'material'] as const
/** The pieces of uploads that are not complete. They are few, because each expires. */
export const STORED_CHUNKS = sql`(
  select 'chunk' as kind, 0 as id, '' as name, count(*)::float8 as n, coalesce(sum(size), 0)::float8 as total from upload_pieces
)`
type StoredKind = (typeof STORED_KINDS)[number] | 'chunk'
const isStored = (kind: string) => kind === 'chunk' || STORED_KINDS.some((stored) => stored === kind)

const readStored = readerOfCounts('storage_counts', STORED_KINDS, [STORED_CHUNKS])

const MOST_USERS = 10
const FREE_MS = 1000

/** Objects, and their bytes together. */
export interface Amount {
  objects: number
  bytes: number
}

export interface StorageUse extends Amount {
  /** Bytes that all objects may have together; undefined when nothing says it. */
  limit: number | undefined
}

export interface StorageReport extends StorageUse {
  kind: 'disk' | 's3'
  originals: Amount
  renditions: Amount
  copies: Amount
  chunks: Amount
  materials: Amount
  originalsByType: ({ type: string } & Amount)[]
  renditionsByName: ({ name: string } & Amount)[]
  materialsByFormat: ({ format: string } & Amount)[]
  /** Those with the most bytes. */
  users: ({ id: number; username: string } & Amount)[]
}

/** @param counts of STORED_KINDS and STORED_CHUNKS, and others */
export async function storageUse(ctx: Context, counts: readonly Count[]): Promise<StorageUse> {
  const used = sumOf(counts.filter(({ kind }) => isStored(kind)).map(amountOf))
  return { ...used, limit: await storageLimit(ctx, used.bytes) }
}

export async function storageReport(ctx: Context): Promise<StorageReport> {
  const [counts, largest] = await Promise.all([readStored(ctx), largestUsers(ctx)])
  const of = (kind: StoredKind) => counts.filter((count) => count.kind === kind)
  const total = (kind: StoredKind) => sumOf(of(kind).map(amountOf))
  return {
    ...(await storageUse(ctx, counts)),
    kind: ctx.storage.kind,
    originals: total('original'),
    renditions: total('rendition'),
    copies: total('copy'),
    chunks: total('chunk'),
    materials: total('material'),
    originalsByType: of('original').map((count) => ({ type: count.name, ...amountOf(count) })),
    renditionsByName: of('rendition').map((count) => ({ name: count.name, ...amountOf(count) })),
    materialsByFormat: of('material').map((count) => ({ format: count.name, ...amountOf(count) })),
    users: largest,
  }
}

const largestOwners = preparedSql<{ id: number; objects: number; bytes: number }>(
  'storage_owners',
  sql`select id, n as objects, total as bytes from ${countsOf(['owner'])} c order by total desc, id limit ${sql.raw(String(MOST_USERS))}`,
)

async function largestUsers(ctx: Context): Promise<StorageReport['users']> {
  const owners = await largestOwners(ctx.db).execute({})
  const names = await ctx.db
    .select({ id: users.id, username: users.username })
    .from(users)
    .where(
      isOneOf(
        users.id,
        owners.map(({ id }) => id),
      ),
    )
  const byId = new Map(names.map(({ id, username }) => [id, username]))
  return owners.map((owner) => ({ ...owner, username: byId.get(owner.id) ?? '' }))
}

/** STORAGE_LIMIT, or on a disk what is stored and what is free. */
async function storageLimit({ config, storage }: Context, used: number): Promise<number | undefined> {
  if (config.storageLimit > 0) return config.storageLimit
  // A network disk may hang.
  const free = await waitAtMost(FREE_MS, storage.free()).catch(() => undefined)
  return free === undefined ? undefined : used + free
}

export const amountOf = ({ n, total }: Count): Amount => ({ objects: n, bytes: total })

const sumOf = (amounts: readonly Amount[]): Amount =>
  amounts.reduce(
    (sum, { objects, bytes }) => ({ objects: sum.objects + objects, bytes: sum.bytes + bytes }),
    { objects: 0, bytes: 0 },
  )
