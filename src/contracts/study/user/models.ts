import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { Me } from '../auth/models.ts'

const NotOpenAction = choice(['retry', 'skip', 'stop'])

export const UserConfig = t.Object({
  cx_username: t.String(),
  /** Whether there is a password. The password itself is never shown. */
  cx_password_set: t.Boolean(),
  speed: t.Number(),
  notopen_action: NotOpenAction,
})
export type UserConfig = Static<typeof UserConfig>

/** A field that is left out stays as it is, and null is its default value. */
export const UserConfigChange = t.Object({
  cx_username: optional(t.String({ maxLength: 100, ...typed('login') })),
  /** An empty one removes the password. */
  cx_password: optional(t.String({ maxLength: 200 })),
  speed: optional(t.Number({ minimum: 0.1, maximum: 100 })),
  notopen_action: optional(NotOpenAction),
})
export const USER_CONFIG = {
  cx_username: '13800138000',
  cx_password: 'your_password',
  speed: 1.5,
  notopen_action: 'retry',
}

export const Profile = t.Composite([
  Me,
  t.Object({
    statistics: t.Object({
      total_tasks: t.Integer(),
      running_tasks: t.Integer(),
      completed_tasks: t.Integer(),
      failed_tasks: t.Integer(),
      last_task_date: nullable(Timestamp),
      /** Courses of which the user has begun an item. */
      courses: t.Integer(),
      completed_items: t.Integer(),
      /** Seconds of items at speed 1. */
      studied_seconds: t.Integer(),
    }),
  }),
])
export type Profile = Static<typeof Profile>

named({ StudyUserConfig: UserConfig, StudyProfile: Profile })
