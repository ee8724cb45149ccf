import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

/** The database's clock, without asking each time. A server's own wall clock may differ, and any of them may be set. */
export class DatabaseClock {
  private constructor(
    private readonly db: Db,
    /** Its time as the database writes it, and in ms less the monotonic clock of this process. */
    private reading: { text: string; offset: number },
  ) {}

  static async open(db: Db): Promise<DatabaseClock> {
    return new DatabaseClock(db, await read(db))
  }

  get text(): string {
    return this.reading.text
  }

  /** To be called every few seconds. @returns the time, as the database writes it */
  async read(): Promise<string> {
    this.reading = await read(this.db)
    return this.reading.text
  }

  /** How long ago the database stored this time, in ms; after a step of its clock wrong for what it stored before. */
  ageOf(stored: Date): number {
    return performance.now() + this.reading.offset - stored.getTime()
  }
}

async function read(db: Db): Promise<{ text: string; offset: number }> {
  const [row] = await db.execute<{ text: string; ms: number }>(
    sql`select clock_timestamp()::text as text, (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`,
  )
  return { text: row!.text, offset: row!.ms - performance.now() }
}
