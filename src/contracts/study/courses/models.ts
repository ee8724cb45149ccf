import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const CourseId = t.Object({ id: t.String() })

export const Course = t.Object({
  courseId: t.String(),
  courseName: t.String(),
  teacherName: t.String(),
  /** Percent. */
  progress: t.Integer(),
})
export type Course = Static<typeof Course>

const CourseItem = t.Object({
  itemId: t.String(),
  itemName: t.String(),
  type: choice(['video', 'document']),
  /** Seconds at speed 1; 0 while unknown. */
  duration: t.Number(),
  isOpen: t.Boolean(),
  /** Seconds that the reader has studied. */
  position: t.Number(),
  isDone: t.Boolean(),
})

export const CourseDetail = t.Composite([Course, t.Object({ items: t.Array(CourseItem) })])
export type CourseDetail = Static<typeof CourseDetail>

const fields = {
  courseName: t.String({ minLength: 1, maxLength: 200, ...typed('title') }),
  teacherName: t.Optional(t.String({ maxLength: 100, ...typed('title') })),
  /** Of learning materials, in the order in which they are studied. */
  material_ids: t.Array(wholeNumber({ minimum: 1, maximum: 2_147_483_647 }), { minItems: 1, maxItems: 500 }),
}
export const NewCourse = t.Object(fields)
export const CourseChange = t.Partial(NewCourse)

named({ StudyCourse: Course, StudyCourseItem: CourseItem, StudyCourseDetail: CourseDetail })
