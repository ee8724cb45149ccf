import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  real,
  serial,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, snakeJson } from './columns.ts'
import { materials } from './materials.ts'
import { tasks } from './tasks.ts'

/** Roost's own materials, and the server at COURSE_PROVIDER_URL. */
export const COURSE_PROVIDERS = ['built_in', 'outside'] as const
export type ProviderName = (typeof COURSE_PROVIDERS)[number]

export const NOT_OPEN_ACTIONS = ['retry', 'skip', 'stop'] as const

/** How a user's study tasks run, and their account at the outside course provider. A user without a row has the defaults. */
export const studySettings = pgTable('study_settings', {
  userId: integer('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  cxUsername: text('cx_username').notNull().default(''),
  /** Sealed (`ctx.sealed`); null when there is none. */
  cxPasswordSealed: text('cx_password_sealed'),
  /** Seconds of an item for each second of time. */
  speed: real('speed').notNull().default(1),
  notOpenAction: text('notopen_action', { enum: NOT_OPEN_ACTIONS }).notNull().default('retry'),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

/** A course of the built-in provider, made of materials. */
export const courses = pgTable('courses', {
  id: serial('id').primaryKey(),
  name: text('name').notNull(),
  teacherName: text('teacher_name').notNull().default(''),
  /** What `open_ms` says of its materials together. Triggers keep it, so that a list need not read all items. */
  openMs: bigint('open_ms', { mode: 'number' }).notNull().default(0),
  createdBy: integer('created_by').references(() => users.id, { onDelete: 'set null' }),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

export const courseItems = pgTable(
  'course_items',
  {
    courseId: integer('course_id')
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    position: integer('position').notNull(),
    materialId: integer('material_id')
      .notNull()
      .references(() => materials.id, { onDelete: 'cascade' }),
  },
  (t) => [
    primaryKey({ columns: [t.courseId, t.position] }),
    index('course_items_material_idx').on(t.materialId, t.courseId),
  ],
)

/** How far a user has come in each item of a course, whichever provider the course is from. */
export const courseProgress = pgTable(
  'course_progress',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The provider's id. */
    courseId: text('course_id').notNull(),
    /** The provider's id of the item. */
    itemId: text('item_id').notNull(),
    /** Seconds. */
    position: doublePrecision('position').notNull(),
    isDone: boolean('is_done').notNull().default(false),
    /** Whether the outside provider knows it; the built-in one needs no report. */
    isReported: boolean('is_reported').notNull().default(true),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.courseId, t.itemId] }),
    index('course_progress_unreported_idx').on(t.updatedAt).where(sql`not ${t.isReported}`),
  ],
)

/** One item of the plan of a study task. */
export interface StudyItem {
  courseId: string
  itemId: string
  name: string
  kind: 'video' | 'document'
  /** Seconds at speed 1. */
  duration: number
  /** Seconds of it that the learner had done when the task was started; `duration` when the item was finished. */
  position: number
}

/** `waiting`: the item is not open yet, so that the position stands. `still`: the task does not run. */
export const STUDY_PHASES = ['playing', 'waiting', 'still'] as const

/** The servers that run study tasks. */
export const studyRunners = pgTable('study_runners', {
  /** Made anew at each start of a server. */
  id: uuid('id').primaryKey(),
  /** Milliseconds of the server's monotonic clock when it last wrote this row. */
  beatMs: doublePrecision('beat_ms').notNull(),
  beatAt: instant('beat_at').notNull().defaultNow(),
})

/** Where a study task is in its plan. The position moves in the phase `playing`, while `runnerId` is set. */
export const studyRuns = pgTable(
  'study_runs',
  {
    taskId: integer('task_id')
      .primaryKey()
      .references(() => tasks.id, { onDelete: 'cascade' }),
    /** Whose courses the plan has, whatever the server is configured to use now. */
    provider: text('provider', { enum: COURSE_PROVIDERS }).notNull().default('built_in'),
    items: snakeJson<StudyItem[]>('items', 'json').notNull(),
    itemIndex: integer('item_index').notNull().default(0),
    /** Seconds of the item at `beganMs`. */
    itemPosition: doublePrecision('item_position').notNull().default(0),
    itemDuration: doublePrecision('item_duration').notNull().default(0),
    /** Seconds that are done, without those of the current item. */
    doneSeconds: doublePrecision('done_seconds').notNull().default(0),
    totalSeconds: doublePrecision('total_seconds').notNull().default(0),
    speed: real('speed').notNull(),
    notOpenAction: text('notopen_action', { enum: NOT_OPEN_ACTIONS }).notNull().default('retry'),
    phase: text('phase', { enum: STUDY_PHASES }).notNull().default('still'),
    /** Grows with every change of this row. */
    revision: integer('revision').notNull().default(0),
    /** The server that runs the task; null while no server does. */
    runnerId: uuid('runner_id').references(() => studyRunners.id, { onDelete: 'set null' }),
    /** Milliseconds of the runner's monotonic clock at which the task was at `itemPosition`. */
    beganMs: doublePrecision('began_ms').notNull().default(0),
  },
  (t) => [
    index('study_runs_runner_idx').on(t.runnerId),
    index('study_runs_free_idx').on(t.taskId).where(sql`${t.runnerId} is null and ${t.phase} <> 'still'`),
  ],
)
