import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

/** The database's clock, without a query for each reading. The servers' own wall clocks may differ, and may be set. */
export class DatabaseClock {
  private constructor(
    private readonly db: Db,
    /** The database's time as it writes it, and in ms minus the monotonic clock of this process. */
    private reading: { text: string; offset: number },
  ) {}

  static async open(db: Db): Promise<DatabaseClock> {
    return new DatabaseClock(db, await read(db))
  }

  get text(): string {
    return this.reading.text
  }

  /** Call it every few seconds. @returns the time, as the database writes it */
  async read(): Promise<string> {
    this.reading = await read(this.db)
    return this.reading.text
  }

  /** How long ago the database stored this time, in ms. Wrong for times that it stored before its clock was set. */
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
