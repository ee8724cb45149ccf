import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { createCourse, deleteCourse, updateCourse } from '../../../core/courses/courses.ts'
import { progressOf } from '../../../core/courses/progress.ts'
import { courseProvider } from '../../../core/courses/provider.ts'
import { notFound } from '../../../core/errors.ts'
import { type Body, chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { study } from '../contract.ts'
import { Message } from '../models.ts'
import { Course, CourseChange, CourseDetail, CourseId, NewCourse } from './models.ts'
import { presentCourse, presentCourseDetail } from './presenters.ts'

const { routes, route } = chapter(study, 'courses')

const OF_PROVIDER = [
  'COURSE_PROVIDER_UNAVAILABLE',
  'COURSE_PROVIDER_FAILED',
  'COURSE_ACCOUNT_MISSING',
  'COURSE_ACCOUNT_REFUSED',
] as const

export const courseRoutes = (ctx: Context) =>
  routes(ctx, '/courses')
    .get(
      '/list',
      listAll,
      route({
        auth: true,
        summary: 'List the courses with your progress',
        id: 'listCourses',
        response: t.Array(Course),
        errors: OF_PROVIDER,
      }),
    )
    .get(
      '/:id',
      showOne,
      route({
        auth: true,
        summary: 'Show a course with its items',
        params: CourseId,
        response: CourseDetail,
        errors: OF_PROVIDER,
      }),
    )
    .post(
      '',
      idempotent(create),
      route({
        auth: 'course.create',
        summary: 'Make a course of learning materials',
        body: NewCourse,
        example: { courseName: '课程名称', teacherName: '教师', material_ids: [1, 2] },
        status: 201,
        response: CourseDetail,
        errors: ['TOO_MANY_COURSES', 'COURSES_ELSEWHERE'],
      }),
    )
    .put(
      '/:id',
      update,
      route({
        auth: 'course.update',
        summary: 'Change fields of a course',
        params: CourseId,
        body: CourseChange,
        example: { courseName: '新的课程名称', material_ids: [2, 1] },
        response: CourseDetail,
        errors: ['COURSES_ELSEWHERE'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({
        auth: 'course.delete',
        summary: 'Delete a course; its materials stay',
        params: CourseId,
        response: Message,
        errors: ['COURSES_ELSEWHERE'],
      }),
    )

async function listAll({ ctx, principal }: SignedCall) {
  return (await courseProvider(ctx).list(principal.userId)).map(presentCourse)
}

type OneCourseCall = SignedCall & Params<typeof CourseId>

function showOne({ ctx, principal, params }: OneCourseCall) {
  return readCourse(ctx, principal.userId, params.id)
}

async function create({ ctx, principal, body }: SignedCall & Body<typeof NewCourse>) {
  const id = await createCourse(ctx, principal, {
    name: body.courseName,
    teacherName: body.teacherName ?? '',
    materialIds: body.material_ids,
  })
  return readCourse(ctx, principal.userId, id)
}

async function update({ ctx, principal, params, body }: OneCourseCall & Body<typeof CourseChange>) {
  await updateCourse(ctx, principal, params.id, {
    name: body.courseName,
    teacherName: body.teacherName,
    materialIds: body.material_ids,
  })
  return readCourse(ctx, principal.userId, params.id)
}

async function deleteOne({ ctx, principal, params, request }: OneCourseCall) {
  await deleteCourse(ctx, principal, params.id)
  return { message: study.text(request, 'course_deleted') }
}

async function readCourse(ctx: Context, userId: number, courseId: string): Promise<CourseDetail> {
  const course = await courseProvider(ctx).course(userId, courseId)
  if (!course) throw notFound('course', courseId)
  return presentCourseDetail(course, await progressOf(ctx, userId, [courseId]))
}
