import { jobHandle } from '../../jobs/job.ts'
import type { Rendition } from './rows.ts'

/** Makes the renditions of a photo's file, and reads what the file says. `only`: these renditions, all by default. */
export const processHandle = jobHandle<{ fileId: number; only?: Rendition['name'][] }>('photo_process', {
  timeoutSeconds: 300,
  retries: 8,
  backoff: { seconds: 2, maxSeconds: 300 },
})

/**
 * Deletes objects that no record refers to any more. The retries last longer than a day without the object store, because
 * nobody else knows these objects before the next cleanup.
 */
export const deleteObjectsHandle = jobHandle<{ keys: string[] }>('photo_objects_delete', {
  timeoutSeconds: 600,
  retries: 40,
  backoff: { seconds: 2, maxSeconds: 3600 },
})
