import { eq, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { settings } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { cached } from '../generations/cached.ts'
import { transaction } from '../transaction.ts'

/** The JSON of a row: only what differs from the defaults. */
export type Stored = Record<string, unknown>

/** Milliseconds for which a server uses what it has read, from the moment at which it asked the database. */
const KEPT_MS = 250
/** A timer may end a moment too early. */
const EXPIRED_MS = KEPT_MS + 10

/**
 * Settings that one row of the table `settings` holds, read from memory on hot paths. A change acts on every server: each server
 * keeps what it has read for a quarter of a second, and a change returns only after that time. So a request that is sent after
 * the answer to a change sees the change, whichever server gets it, and no hint has to arrive for that.
 */
export class StoredSettings<T> {
  private known: { value: T; until: number } | undefined
  /** Grows with every change, so that a read that began before a change does not bring back the old values. */
  private changes = 0

  /**
   * @param key of the row
   * @param read the settings that a stored row means
   * @param isShared whether other servers use the same database
   */
  constructor(
    private readonly key: string,
    private readonly read: (stored: Stored) => T,
    private readonly isShared: boolean,
  ) {}

  async current(ctx: Context | Tx): Promise<T> {
    if (this.known && performance.now() < this.known.until) return this.known.value
    const { changes } = this
    const until = performance.now() + KEPT_MS
    const value = this.read(await readStored(ctx.db, this.key))
    // A transaction may see its own change before the commit.
    if (changes === this.changes && !('afterCommit' in ctx)) this.known = { value, until }
    return value
  }

  /** The settings of now, on whichever server they were changed. For who shows them. */
  async shown(ctx: Context): Promise<T> {
    const key = ['row', this.key] as const
    return this.read(await cached(ctx, { of: ['settings'], key }, () => readStored(ctx.db, this.key)))
  }

  /**
   * The settings as they stay until the end of the transaction: a change waits for it, and is waited for. For a change of
   * something else that must not be made by settings that are no longer true.
   */
  async held(tx: Tx): Promise<T> {
    await tx.db.execute(
      sql`select pg_advisory_xact_lock_shared(hashtext('roost:settings'), hashtext(${this.key}))`,
    )
    return this.read(await readStored(tx.db, this.key))
  }

  /**
   * Changes the row. Changes wait for each other, so that of two changes of different settings both are kept.
   * @param change gets the current row and returns the new one. It may run more than once
   */
  async change(ctx: Context, change: (tx: Tx, stored: Stored) => Promise<Stored>): Promise<T> {
    if ('afterCommit' in ctx) throw new Error('Settings were changed inside a transaction.')
    const stored = await transaction(ctx, async (tx) => {
      await tx.db.execute(
        sql`select pg_advisory_xact_lock(hashtext('roost:settings'), hashtext(${this.key}))`,
      )
      const value = await change(tx, await readStored(tx.db, this.key))
      await tx.db
        .insert(settings)
        .values({ key: this.key, value })
        .onConflictDoUpdate({ target: settings.key, set: { value: sql`excluded.value` } })
      tx.changed('settings')
      tx.afterCommit(() => this.forget())
      return value
    })
    if (this.isShared) await Bun.sleep(EXPIRED_MS)
    return this.read(stored)
  }

  private forget(): void {
    this.changes++
    this.known = undefined
  }
}

async function readStored(db: Db, key: string): Promise<Stored> {
  const [row] = await db.select().from(settings).where(eq(settings.key, key))
  return (row?.value ?? {}) as Stored
}
