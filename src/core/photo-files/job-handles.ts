import { jobHandle } from '../../jobs/job.ts'
import type { Rendition } from './rows.ts'

export interface ProcessingJob {
  fileId: number
  /** Of the file when the job was made. */
  generation: number
  /** The renditions to make, all by default. */
  only?: Rendition['name'][]
}

/** Makes renditions of a photo's file, and reads what the file says. */
export const processHandle = jobHandle<ProcessingJob>('photo_process', {
  timeoutSeconds: 300,
  retries: 8,
  backoff: { seconds: 2, maxSeconds: 300 },
})

/**
 * More than a day of retries: copies that a private photo still has at public keys must go when the object store is back,
 * within a minute.
 */
const UNTIL_IT_ANSWERS = { retries: 3000, backoff: { seconds: 2, maxSeconds: 30 } }

/** Makes or deletes the copies of renditions at public keys. */
export const exposureHandle = jobHandle<{ fileIds: number[] }>('photo_exposure', {
  timeoutSeconds: 600,
  ...UNTIL_IT_ANSWERS,
})

/** Brings files up to date with the site's watermark: all of them after a change, or one. */
export const watermarkHandle = jobHandle<{ run: string } | { fileId: number }>('photo_watermark', {
  timeoutSeconds: 900,
  ...UNTIL_IT_ANSWERS,
})

/** Deletes the objects of deleted photo files. */
export const photoDeletionHandle = jobHandle<{ files: { id: number; objectKey: string }[] }>(
  'photo_deletion',
  {
    timeoutSeconds: 600,
    ...UNTIL_IT_ANSWERS,
  },
)
