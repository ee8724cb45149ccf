import { Cron } from 'croner'
import { trimSessions } from '../core/accounts/sessions.ts'
import { trimEvents } from '../core/channel/log.ts'
import type { Core } from '../core/context.ts'

export interface Scheduler {
  close(): void
}

/** In-process jobs. Each is idempotent: with several servers on one database a second run finds nothing to do. */
export function createScheduler(ctx: Core): Scheduler {
  const jobs = [
    job('trim_events', '17 * * * *', () => trimEvents(ctx)),
    job('trim_sessions', '27 * * * *', () => trimSessions(ctx)),
  ]

  function job(name: string, pattern: string, run: () => Promise<number>): Cron {
    return new Cron(
      pattern,
      { name: `${name}:${crypto.randomUUID()}`, protect: true, unref: true },
      async () => {
        try {
          ctx.log.info({ job: name, removed: await run() }, 'job done')
        } catch (error) {
          ctx.log.error({ err: error, job: name }, 'job failed')
        }
      },
    )
  }
  return {
    close() {
      for (const scheduled of jobs) scheduled.stop()
    },
  }
}
