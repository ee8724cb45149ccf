import { jobHandle } from '../../jobs/job.ts'

/** Deletes what a deleted user has left. More than a day of retries, because the object store may be away. */
export const purgeHandle = jobHandle<{ userId: number }>('user_purge', {
  timeoutSeconds: 900,
  retries: 3000,
  backoff: { seconds: 2, maxSeconds: 30 },
})
