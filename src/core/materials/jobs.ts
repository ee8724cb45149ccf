import { defineJob, defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { cleanUp } from './cleanup.ts'
import { measureHandle, putAwayHandle, thumbnailHandle } from './job-handles.ts'
import { measureMaterial } from './measure.ts'
import { putAway } from './objects.ts'
import { failThumbnail, makeThumbnail } from './thumbnails.ts'

const thumbnailJob = defineJob({
  ...thumbnailHandle,
  // A thumbnail is made in its own process, which takes up to half a gigabyte, and requests need the other cores.
  concurrency: 1,
  run: (ctx: Context, { materialId }, run) => makeThumbnail(ctx, materialId, run),
  onGiveUp: (ctx, { materialId }, { reason }) => failThumbnail(ctx, materialId, reason),
})

const measureJob = defineJob({
  ...measureHandle,
  concurrency: 1,
  run: (ctx: Context, { materialId }, run) => measureMaterial(ctx, materialId, run),
})

const putAwayJob = defineJob({
  ...putAwayHandle,
  concurrency: 1,
  run: (ctx: Context, { materialId }) => putAway(ctx, materialId),
})

const cleanUpSchedule = defineSchedule({
  id: 'cleanup_job',
  name: 'cleanup_stale_records',
  pattern: '*/30 * * * *',
  run: (ctx: Context) => cleanUp(ctx, { processing: true, orphans: true, maxAgeMinutes: 60 }),
})

export const materialsJobs = { jobs: [thumbnailJob, measureJob, putAwayJob], schedules: [cleanUpSchedule] }
