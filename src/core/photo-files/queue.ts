import { sql } from 'drizzle-orm'
import type { Tx } from '../context.ts'
import { processHandle } from './job-handles.ts'
import type { PhotoFile, Rendition } from './rows.ts'

/** How many waiting files of one user are counted. Later ones all have the same priority. */
const MAX_TURNS = 1000

/**
 * Adds the job with a priority that is fair between users: the more waiting files a user has, the lower it is, so that the
 * first file of every user comes before the second of any.
 * @param only the renditions to make, all by default
 */
export async function enqueueProcessing(
  tx: Tx,
  { id, userId, generation }: Pick<PhotoFile, 'id' | 'userId' | 'generation'>,
  only?: Rendition['name'][],
): Promise<void> {
  const [waiting] = await tx.db.execute<{ n: number }>(sql`
    select count(*)::int as n from (
      select from photo_files where user_id = ${userId} and status in ('uploaded', 'processing') and id <> ${id}
      limit ${MAX_TURNS}
    ) waiting`)
  const payload = { fileId: id, generation, ...(only && { only }) }
  await tx.queue.enqueue(tx, processHandle, payload, { priority: -waiting!.n, turn: `file-${id}` })
}
