import { defineJob, defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { cleanUpPhotoFiles } from './cleanup.ts'
import { deleteObjects, expose } from './exposure.ts'
import { exposureHandle, photoDeletionHandle, processHandle, watermarkHandle } from './job-handles.ts'
import { failProcessing, processFile } from './processing.ts'
import { bringOneUpToDate, continueRun, skipFile } from './watermarking.ts'

const processJob = defineJob({
  ...processHandle,
  // A photo is processed in its own process, which takes up to two gigabytes, and requests need the other cores.
  concurrency: 1,
  run: processFile,
  onGiveUp: (ctx: Context, job) => failProcessing(ctx, job, 'PROCESSING_FAILED'),
})

const exposureJob = defineJob({
  ...exposureHandle,
  concurrency: 2,
  async run(ctx: Context, { fileIds }, { signal }) {
    await each(fileIds, signal, (fileId) => expose(ctx, fileId))
  },
})

const photoDeletionJob = defineJob({
  ...photoDeletionHandle,
  concurrency: 2,
  async run(ctx: Context, { files }, { signal }) {
    await each(files, signal, (file) => deleteObjects(ctx, file))
  },
})

/** Tries all, so that one that fails does not hold up the others. @throws the first failure */
async function each<T>(items: T[], signal: AbortSignal, run: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const item of items) {
    signal.throwIfAborted()
    await run(item).catch((error) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

const watermarkJob = defineJob({
  ...watermarkHandle,
  concurrency: 1,
  async run(ctx: Context, job, tried) {
    if ('run' in job) await continueRun(ctx, job.run, tried)
    else await bringOneUpToDate(ctx, job.fileId, tried)
  },
  async onGiveUp(ctx: Context, job) {
    if ('run' in job) await skipFile(ctx, job.run)
  },
})

const cleanUpSchedule = defineSchedule({
  id: 'photo_cleanup_job',
  name: 'cleanup_photo_files',
  pattern: '15,45 * * * *',
  run: (ctx: Context) => cleanUpPhotoFiles(ctx, { orphans: true, maxAgeMinutes: 60 }),
})

export const photoFilesJobs = {
  schedules: [cleanUpSchedule],
  jobs: [processJob, watermarkJob, exposureJob, photoDeletionJob],
}
