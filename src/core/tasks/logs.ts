import { sql } from 'drizzle-orm'
import type { Core } from '../context.ts'

export interface NewLog {
  taskId: number
  attempt: number
  level: string
  message: string
}

/** Appends in one statement; a line of a deleted task or of an attempt that is over changes nothing. */
export async function addLogs(ctx: Pick<Core, 'db'>, lines: NewLog[]): Promise<void> {
  if (lines.length === 0) return
  await ctx.db.execute(sql`
    insert into task_logs (task_id, attempt, level, message)
    select l."taskId", l.attempt, l.level, l.message
    from json_to_recordset(${JSON.stringify(lines)}::text::json)
      as l("taskId" int, attempt int, level text, message text)
    join tasks t on t.id = l."taskId" and t.attempt = l.attempt`)
}
