import { sql } from 'drizzle-orm'
import { defineJob } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { rebuildPhotoIndex } from './rebuild.ts'
import { rebuildHandle } from './reindex.ts'
import { TERMS_VERSION } from './terms.ts'

/**
 * Makes the rows anew that an older version of this code has written, or those of a tag or category that many photos have. A
 * run that was cut off begins again, and leaves alone what is right already.
 */
const rebuildJob = defineJob({
  ...rebuildHandle,
  concurrency: 1,
  run: async (ctx: Context, { version, of }, { signal }) => {
    // During a rolling upgrade a server of the old version may get the job.
    if (version > TERMS_VERSION) throw new Error('a newer server has to do this')
    ctx.log.info(
      await rebuildPhotoIndex(ctx, { which: of ?? 'outdated', signal }),
      'index rows of photos made anew',
    )
  },
})

export const photoIndexJobs = { jobs: [rebuildJob] }

/** For a server that starts. Until the job has ended, the search finds the photos of these rows by their old terms. */
export async function rebuildOutdated(ctx: Context): Promise<void> {
  const [outdated] = await ctx.db.execute(
    sql`select from photo_index where terms_version < ${TERMS_VERSION} limit 1`,
  )
  if (!outdated) return
  const options = { singletonKey: `v${TERMS_VERSION}` }
  await transaction(ctx, (tx) => ctx.queue.enqueue(tx, rebuildHandle, { version: TERMS_VERSION }, options))
}
