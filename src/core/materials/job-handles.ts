import { jobHandle } from '../../jobs/job.ts'

/** Makes the thumbnail of a material. */
export const thumbnailHandle = jobHandle<{ materialId: number }>('thumbnail', {
  timeoutSeconds: 180,
  retries: 4,
  backoff: { seconds: 2, maxSeconds: 300 },
})

/**
 * Hides or deletes the objects of a deleted material. The retries last longer than a day without the object store,
 * because the objects would stay public when the queue gave up.
 */
export const putAwayHandle = jobHandle<{ materialId: number }>('put_away', {
  timeoutSeconds: 600,
  retries: 40,
  backoff: { seconds: 2, maxSeconds: 3600 },
})

/** Reads how long a material is. The retries last longer than a day without the object store. */
export const measureHandle = jobHandle<{ materialId: number }>('measure', {
  timeoutSeconds: 180,
  retries: 40,
  backoff: { seconds: 2, maxSeconds: 3600 },
})
