import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { courseItems, materials } from '../../../src/db/schema/index.ts'
import { auditedOf } from '../../support/audited.ts'
import { makeCourse, makeMaterial, recordStudied } from '../../support/courses.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { expectAnswer, expectFactoryError } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const [editor, learner] = [await makeUser(server, { role: 'editor' }), await makeUser(server)]
const SOMEWHERE = '01920000-0000-7000-8000-000000000000'

const COURSE = {
  courseId: 'string',
  courseName: 'string',
  teacherName: 'string',
  progress: 'integer',
} as const
const ITEM = {
  itemId: 'string',
  itemName: 'string',
  type: 'string',
  duration: 'number',
  isOpen: 'boolean',
  position: 'number',
  isDone: 'boolean',
} as const
const DETAIL = { ...COURSE, items: [ITEM] } as const

const create = (body: object, { token } = editor) => ask('POST', '/api/courses', { token, body })
const list = async ({ token } = learner) => {
  const answer = await ask('GET', '/api/courses/list', { token })
  expectAnswer(answer, 200, [COURSE])
  return answer.body as { courseId: string; progress: number }[]
}

describe('GET /api/courses/list', () => {
  test("is a bare list of every course, with the reader's own progress", async () => {
    const { courseId, name, itemIds } = await makeCourse(server, editor, [{}, {}])
    await recordStudied(server, learner, { courseId, itemId: itemIds[0]!, position: 100, isDone: true })
    const shown = { courseId, courseName: name, teacherName: '王老师' }
    expect(await list()).toContainEqual({ ...shown, progress: 50 })
    expect(await list(editor)).toContainEqual({ ...shown, progress: 0 })
  })
})

describe('GET /api/courses/{id}', () => {
  test('shows the items, and how far the reader is', async () => {
    const { courseId, itemIds } = await makeCourse(server, editor, [
      { title: '第一课' },
      { title: '讲义', type: 'pdf', fileFormat: 'pdf', durationSeconds: null, pages: 2 },
      { title: '未测', durationSeconds: null },
    ])
    await recordStudied(server, learner, { courseId, itemId: itemIds[0]!, position: 12.5, isDone: false })
    const answer = await ask('GET', `/api/courses/${courseId}`, { token: learner.token })
    expectAnswer(answer, 200, DETAIL)
    const begun = { position: 0, isDone: false }
    expect(answer.body.items).toEqual([
      {
        itemId: itemIds[0],
        itemName: '第一课',
        type: 'video',
        duration: 100,
        isOpen: true,
        position: 12.5,
        isDone: false,
      },
      { itemId: itemIds[1], itemName: '讲义', type: 'document', duration: 120, isOpen: true, ...begun },
      { itemId: itemIds[2], itemName: '未测', type: 'video', duration: 0, isOpen: false, ...begun },
    ])
  })

  test.each(['999999', 'abc', SOMEWHERE, '0'])('%s: 404', async (id) => {
    const answer = await ask('GET', `/api/courses/${id}`, { token: learner.token })
    expectFactoryError(answer, { status: 404, code: 'RESOURCE_NOT_FOUND' })
  })
})

describe('POST /api/courses', () => {
  test('makes a course of materials, in their order, whoever has uploaded them', async () => {
    const ids = [await makeMaterial(server, learner), await makeMaterial(server, editor)]
    const answer = await create({
      courseName: ' 课程名称 ',
      teacherName: '教师',
      material_ids: ids.toReversed(),
    })
    expectAnswer(answer, 201, DETAIL)
    expect(answer.body).toMatchObject({ courseName: '课程名称', teacherName: '教师', progress: 0 })
    expect(answer.body.items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(
      ids.toReversed().map(String),
    )
    expect(await auditedOf(server, answer)).toEqual(['course.created'])
    expect((await list()).map(({ courseId }) => courseId)).toContain(answer.body.courseId)
  })

  test('the teacher may be left out', async () => {
    const answer = await create({ courseName: 'a', material_ids: [await makeMaterial(server, editor)] })
    expect(answer).toMatchObject({ status: 201, body: { teacherName: '' } })
  })

  test.each<[string, (known: number) => object, string[]]>([
    ['nothing', () => ({}), ['courseName', 'material_ids']],
    ['an empty name', (known) => ({ courseName: ' ', material_ids: [known] }), ['courseName']],
    ['a long name', (known) => ({ courseName: '课'.repeat(201), material_ids: [known] }), ['courseName']],
    ['a name that is a number', (known) => ({ courseName: 5, material_ids: [known] }), ['courseName']],
    [
      'a teacher of null',
      (known) => ({ courseName: 'a', teacherName: null, material_ids: [known] }),
      ['teacherName'],
    ],
    ['no materials', () => ({ courseName: 'a', material_ids: [] }), ['material_ids']],
    [
      'a material as a text',
      (known) => ({ courseName: 'a', material_ids: [`${known}`] }),
      ['material_ids.0'],
    ],
    ['half a material', () => ({ courseName: 'a', material_ids: [1.5] }), ['material_ids.0']],
    [
      'an unknown material',
      (known) => ({ courseName: 'a', material_ids: [known, 2_000_000_000] }),
      ['material_ids'],
    ],
    ['a material twice', (known) => ({ courseName: 'a', material_ids: [known, known] }), ['material_ids']],
    [
      'too many',
      () => ({ courseName: 'a', material_ids: Array.from({ length: 501 }, (_, i) => i + 1) }),
      ['material_ids'],
    ],
  ])('%s: 422, and there is no new course', async (_, body, fields) => {
    const before = await list()
    const answer = await create(body(await makeMaterial(server, editor)))
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expect(await list()).toEqual(before)
  })

  test.each(['hidden', 'processing'] as const)('a material that is %s: 422', async (status) => {
    const id = await makeMaterial(server, editor, { status })
    const answer = await create({ courseName: 'a', material_ids: [id] })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['material_ids'] })
    expect(answer.body.details.field_errors.material_ids[0]).toContain(String(id))
  })
})

describe('PUT /api/courses/{id}', () => {
  const update = (id: string, body: object, { token } = editor) =>
    ask('PUT', `/api/courses/${id}`, { token, body })

  test('changes what it names and nothing else; material_ids replaces all', async () => {
    const { courseId, name, itemIds } = await makeCourse(server, editor, [{}, {}])
    const renamed = await update(courseId, { courseName: '新的课程名称' })
    expectAnswer(renamed, 200, DETAIL)
    expect(renamed.body).toMatchObject({ courseName: '新的课程名称', teacherName: '王老师' })
    expect(renamed.body.courseName).not.toBe(name)
    expect(await auditedOf(server, renamed)).toEqual(['course.updated'])
    const more = await makeMaterial(server, editor)
    const reordered = [Number(itemIds[1]), more]
    const { body } = await update(courseId, { material_ids: reordered })
    expect(body.items.map(({ itemId }: { itemId: string }) => Number(itemId))).toEqual(reordered)
    expect(body.courseName).toBe('新的课程名称')
    const nothing = await update(courseId, {})
    expect(nothing.body).toEqual(body)
    expect(await auditedOf(server, nothing)).toEqual([])
  })

  test('an unknown material: 422, and the items stay', async () => {
    const { courseId, itemIds } = await makeCourse(server, editor)
    const answer = await update(courseId, { courseName: 'x', material_ids: [2_000_000_000] })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['material_ids'] })
    const { body } = await ask('GET', `/api/courses/${courseId}`, { token: learner.token })
    expect(body.items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(itemIds)
    expect(body.courseName).not.toBe('x')
  })

  test('an unknown course: 404', async () => {
    for (const body of [{ courseName: 'a' }, {}])
      expectFactoryError(await update('999999', body), { status: 404, code: 'RESOURCE_NOT_FOUND' })
  })
})

describe('DELETE /api/courses/{id}', () => {
  test('deletes the course, and leaves its materials', async () => {
    const { courseId, itemIds } = await makeCourse(server, editor)
    const remove = () => ask('DELETE', `/api/courses/${courseId}`, { token: editor.token })
    const answer = await remove()
    expectAnswer(answer, 200, { message: 'string' })
    expect(await auditedOf(server, answer)).toEqual(['course.deleted'])
    expectFactoryError(await remove(), { status: 404, code: 'RESOURCE_NOT_FOUND' })
    const { db } = server.ctx
    expect(await db.$count(materials, eq(materials.id, Number(itemIds[0])))).toBe(1)
    expect(await db.$count(courseItems, eq(courseItems.courseId, Number(courseId)))).toBe(0)
  })
})

test('a learner reads courses, and does not change them', async () => {
  const { courseId } = await makeCourse(server, editor)
  const body = { courseName: 'a', material_ids: [await makeMaterial(server, learner)] }
  const path = `/api/courses/${courseId}`
  for (const [method, at] of [
    ['POST', '/api/courses'],
    ['PUT', path],
    ['DELETE', path],
  ] as const) {
    expectFactoryError(await ask(method, at, { token: learner.token, body }), {
      status: 403,
      code: 'ACCESS_DENIED',
    })
    expectFactoryError(await ask(method, at, { body }), { status: 401, code: 'INVALID_CREDENTIALS' })
  }
  for (const at of [path, '/api/courses/list'])
    expectFactoryError(await ask('GET', at), { status: 401, code: 'INVALID_CREDENTIALS' })
})
