/**
 * How often each kind of data has changed. A change raises the generation of its kind in its own transaction, and a reader reads
 * the generations before the data. So what was computed under the same generations is still right: docs/design.md, "Cache".
 */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { preparedSql } from '../../db/prepared.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'

/** The kinds of data that have a generation, in the order in which a change locks their rows. */
export const CACHED_DOMAINS = ['categories', 'photos', 'settings', 'tags'] as const
export type CachedDomain = (typeof CACHED_DOMAINS)[number]

export interface Generations {
  /** By domain, the generation as a part of keys. */
  read(): Promise<(domain: CachedDomain) => string>
  /**
   * Raises generations at the end of a transaction, when all that is left is to append its events and to commit.
   * @returns the statement that does it, if it takes one
   */
  raise(domains: ReadonlySet<CachedDomain>): ((db: Db) => Promise<unknown>) | undefined
}

/**
 * Generations of an embedded database. It has one connection, which the transaction holds until it has ended: whoever reads the
 * new generation queries after the commit, and nobody asks for what was computed under the old one. The numbers begin anew with
 * the process, but a cache in Redis may outlive it.
 */
export class GenerationsInMemory implements Generations {
  private readonly process = crypto.randomUUID().slice(0, 8)
  private readonly numbers = new Map<CachedDomain, number>()

  async read(): Promise<(domain: CachedDomain) => string> {
    const now = new Map(this.numbers)
    return (domain) => `${this.process}-${now.get(domain) ?? 0}`
  }

  raise(domains: ReadonlySet<CachedDomain>): undefined {
    for (const domain of domains) this.numbers.set(domain, (this.numbers.get(domain) ?? 0) + 1)
  }
}

/** A read that takes longer than this no longer holds up those who ask after it began. */
const SHARED_MS = 50

/** Generations in the table, for all servers on one database. */
export class GenerationsInTable implements Generations {
  private running: Promise<unknown> = Promise.resolve()
  private next: ReturnType<Generations['read']> | undefined

  constructor(private readonly db: Db) {}

  /** Callers that ask while a read runs share the next one: the running one may be older than a change that they know of. */
  read(): ReturnType<Generations['read']> {
    this.next ??= waitAtMost(SHARED_MS, this.running).then(() => {
      this.next = undefined
      const rows = this.readRows()
      this.running = rows.catch(() => {})
      return rows
    })
    return this.next
  }

  /** The rows stay locked until the commit. Every transaction locks them in one order, and before rows of channels. */
  raise(domains: ReadonlySet<CachedDomain>): (db: Db) => Promise<unknown> {
    const inOrder = CACHED_DOMAINS.filter((domain) => domains.has(domain)).join()
    return (db) => raiseRows(db).execute({ domains: inOrder })
  }

  private async readRows(): Promise<(domain: CachedDomain) => string> {
    const rows = await readAll(this.db).execute({})
    const now = new Map(rows.map(({ domain, value }) => [domain, value]))
    return (domain) => now.get(domain) ?? '0'
  }
}

const raiseRows = preparedSql<object>(
  'raise_generations',
  sql`
    insert into generations (domain, value)
    select domain, 1 from string_to_table(${sql.placeholder('domains')}::text, ',') with ordinality as changed(domain, n) order by n
    on conflict (domain) do update set value = generations.value + 1`,
)

const readAll = preparedSql<{ domain: CachedDomain; value: string }>(
  'read_generations',
  sql`select domain, value::text as value from generations`,
)
