/** Courses made of Roost's own materials. */
import { type SQL, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { readId } from '../../util/ids.ts'
import type { Context } from '../context.ts'
import { SECONDS_PER_PAGE } from './documents.ts'
import { OUTSIDE } from './progress.ts'
import type { CourseItem, CourseProvider, CourseSummary, ItemState } from './provider.ts'

/** Seconds of the material `m`; 0 while unknown, and for a file that cannot be read. */
const DURATION = sql`coalesce(case m.type when 'pdf' then m.pages * ${sql.raw(String(SECONDS_PER_PAGE))} else m.duration_seconds end, 0)::float8`
const IS_OPEN = sql`(m.status = 'active' and ${DURATION} > 0
  and exists (select from users owner where owner.id = m.user_id and owner.deleted_at is null))`

/** Ids of the built-in provider as numbers; null in rows of the outside one. */
const idOf = (column: 'course_id' | 'item_id') =>
  sql.raw(`case when p.course_id like '${OUTSIDE}%' then null else p.${column}::int end`)

/** Milliseconds that a user has studied of each course. The query reads what the user has begun, not all items. */
const STUDIED = sql`
  select i.course_id, sum(case when p.is_done then open_ms(m) else least(floor(p.position * 1000), open_ms(m)) end) as ms
  from course_progress p
  join course_items i on i.material_id = ${idOf('item_id')} and i.course_id = ${idOf('course_id')}
  join materials m on m.id = i.material_id
  where p.user_id = ${sql.placeholder('userId')} group by i.course_id`

const summaries = (name: string, which: SQL) =>
  preparedSql<CourseSummary>(
    name,
    sql`
      select c.id::text as "courseId", c.name, c.teacher_name as "teacherName",
        coalesce(floor(100 * s.ms / nullif(c.open_ms, 0)), 0)::int as progress
      from courses c left join (${STUDIED}) s on s.course_id = c.id
      where ${which} order by c.id`,
  )
const allCourses = summaries('courses_of_learner', sql`true`)
const oneCourse = summaries('course_of_learner', sql`c.id = ${sql.placeholder('id')}`)

const itemsOfCourse = preparedSql<CourseItem>(
  'items_of_course',
  sql`
    select m.id::text as "itemId", m.title as name, case m.type when 'pdf' then 'document' else 'video' end as kind,
      ${DURATION} as duration, ${IS_OPEN} as "isOpen"
    from course_items i join materials m on m.id = i.material_id
    where i.course_id = ${sql.placeholder('id')} order by i.position`,
)

const durationsOfItems = preparedSql<{ n: number; duration: number }>(
  'durations_of_items',
  sql`
    select wanted.n, ${DURATION} as duration
    from json_to_recordset(${sql.placeholder('wanted')}::text::json) as wanted(n int, course int, material int)
    join course_items i on i.course_id = wanted.course and i.material_id = wanted.material
    join materials m on m.id = i.material_id
    where ${IS_OPEN}`,
)

/** Undefined for a text that is no id of a row. */
export const numberOf = (id: string): number | undefined => {
  const read = readId(id)
  return typeof read === 'number' ? read : undefined
}

export const builtInProvider = ({ db }: Context): CourseProvider => ({
  list: (userId) => allCourses(db).execute({ userId }),

  async course(userId, courseId) {
    const id = numberOf(courseId)
    if (id === undefined) return undefined
    const [summary] = await oneCourse(db).execute({ userId, id })
    return summary && { ...summary, items: await itemsOfCourse(db).execute({ id }) }
  },

  async states(items) {
    const states: ItemState[] = items.map(() => ({ state: 'closed' }))
    const wanted = items.map(({ courseId, itemId }, n) => ({
      n,
      course: numberOf(courseId),
      material: numberOf(itemId),
    }))
    if (wanted.length === 0) return states
    for (const { n, duration } of await durationsOfItems(db).execute({ wanted: JSON.stringify(wanted) }))
      states[n] = { state: 'open', duration }
    return states
  },
})
