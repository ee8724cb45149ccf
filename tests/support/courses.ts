import { recordProgress } from '../../src/core/courses/progress.ts'
import { materialsHint } from '../../src/core/materials/hints.ts'
import { courseItems, courses, materials } from '../../src/db/schema/index.ts'
import { type TestUser, unique } from './factories.ts'
import type { TestServer } from './server.ts'

type NewMaterial = Partial<typeof materials.$inferInsert>

/** The record of an active material without a file: a video of 100 seconds unless `input` says something else. */
export async function makeMaterial(
  server: TestServer,
  { user }: TestUser,
  input: NewMaterial = {},
): Promise<number> {
  const title = unique('material ')
  const row = {
    title,
    type: 'video',
    status: 'active',
    filePath: `videos/${title}`,
    fileFormat: 'mp4',
    durationSeconds: 100,
  } as const
  const [material] = await server.ctx.db
    .insert(materials)
    .values({ ...row, userId: user.id, ...input })
    .returning({ id: materials.id, type: materials.type, status: materials.status })
  const { id, type, status } = material!
  // The server keeps the lists in memory, and learns of changes by this hint.
  server.ctx.bus.publish(materialsHint, { id, type, active: status === 'active' })
  return id
}

/** A course of new materials, one for each of `items`. */
export async function makeCourse(server: TestServer, owner: TestUser, items: NewMaterial[] = [{}]) {
  const { db } = server.ctx
  const [course] = await db
    .insert(courses)
    .values({ name: unique('course '), teacherName: '王老师', createdBy: owner.user.id })
    .returning()
  const itemIds: string[] = []
  for (const [position, item] of items.entries()) {
    const materialId = await makeMaterial(server, owner, item)
    await db.insert(courseItems).values({ courseId: course!.id, position, materialId })
    itemIds.push(String(materialId))
  }
  return { courseId: String(course!.id), name: course!.name, itemIds }
}

/** Records how far a learner has come in an item of a course of Roost's own materials. */
export const recordStudied = (
  server: TestServer,
  { user }: TestUser,
  item: { courseId: string; itemId: string; position: number; isDone: boolean },
): Promise<void> => recordProgress(server.ctx, [{ provider: 'built_in', userId: user.id, ...item }])
