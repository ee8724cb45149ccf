/** The courses of the built-in provider: docs/contracts/study.md, "Courses". */
import { and, asc, eq, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { courseItems, courses, materials } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { requestMeasures } from '../materials/measure.ts'
import { transaction } from '../transaction.ts'
import { numberOf } from './built-in.ts'

/** A list has all of them. Creations at the same moment may exceed the limit by a few. */
const MAX_COURSES = 1000

export interface CourseInput {
  name: string
  teacherName: string
  /** In the order in which they are studied, each once. */
  materialIds: number[]
}

/**
 * @returns its id
 * @throws AppError COURSES_ELSEWHERE, TOO_MANY_COURSES, VALIDATION_FAILED
 */
export function createCourse(ctx: Context, who: Actor, input: CourseInput): Promise<string> {
  assertBuiltIn(ctx)
  const { materialIds, ...values } = input
  return transaction(ctx, async (tx) => {
    await lockMaterials(tx, materialIds)
    if ((await tx.db.$count(courses)) >= MAX_COURSES)
      throw new AppError('TOO_MANY_COURSES', { params: { limit: MAX_COURSES } })
    const [course] = await tx.db
      .insert(courses)
      .values({ ...values, createdBy: who.userId })
      .returning({ id: courses.id })
    const { id } = course!
    await setItems(tx, id, materialIds)
    audit(tx, who, { action: 'course.created', target: id, details: { name: input.name } })
    return String(id)
  })
}

/**
 * Changes the given fields. `materialIds` replaces all of them.
 * @throws AppError COURSES_ELSEWHERE, NOT_FOUND, VALIDATION_FAILED
 */
export async function updateCourse(
  ctx: Context,
  who: Actor,
  courseId: string,
  change: { [F in keyof CourseInput]?: CourseInput[F] | undefined },
): Promise<void> {
  assertBuiltIn(ctx)
  const id = idOf(courseId)
  const { materialIds, ...values } = change
  const fields = fieldsOf(change)
  if (fields.length === 0) return
  await transaction(ctx, async (tx) => {
    if (materialIds) await lockMaterials(tx, materialIds)
    const changed = await tx.db
      .update(courses)
      .set({ ...values, updatedAt: sql`now()` })
      .where(eq(courses.id, id))
      .returning({ id: courses.id })
    if (changed.length === 0) throw notFound('course', id)
    if (materialIds) await setItems(tx, id, materialIds)
    audit(tx, who, { action: 'course.updated', target: id, details: { fields } })
  })
}

/** @throws AppError COURSES_ELSEWHERE, NOT_FOUND */
export async function deleteCourse(ctx: Context, who: Actor, courseId: string): Promise<void> {
  assertBuiltIn(ctx)
  const id = idOf(courseId)
  await transaction(ctx, async (tx) => {
    const [course] = await tx.db.delete(courses).where(eq(courses.id, id)).returning()
    if (!course) throw notFound('course', id)
    audit(tx, who, { action: 'course.deleted', target: id, details: { name: course.name } })
  })
}

function assertBuiltIn({ config }: Context): void {
  if (config.courseProviderUrl) throw new AppError('COURSES_ELSEWHERE')
}

function idOf(courseId: string): number {
  const id = numberOf(courseId)
  if (id === undefined) throw notFound('course', courseId)
  return id
}

/**
 * Locks the materials, so that none of them is deleted before the course refers to it, and none changes unseen by the triggers that
 * keep `openMs`. Before the course is locked, because a change of a material locks the material first too.
 * @throws AppError VALIDATION_FAILED
 */
async function lockMaterials(tx: Tx, materialIds: number[]): Promise<void> {
  const repeated = materialIds.find((id, n) => materialIds.indexOf(id) !== n)
  if (repeated !== undefined) throw invalid('material_ids', 'repeated', { value: repeated })
  const known = await tx.db
    .select({ id: materials.id })
    .from(materials)
    .where(
      and(isOneOf(materials.id, materialIds), eq(materials.status, 'active'), ownerExists(materials.userId)),
    )
    .orderBy(asc(materials.id))
    .for('share')
  const ids = new Set(known.map(({ id }) => id))
  const unknown = materialIds.filter((id) => !ids.has(id))
  if (unknown.length > 0) throw invalid('material_ids', 'materials', { ids: unknown.join(', ') })
}

/** Sets the items to materials that {@link lockMaterials} has locked. */
async function setItems(tx: Tx, courseId: number, materialIds: number[]): Promise<void> {
  await tx.db.delete(courseItems).where(eq(courseItems.courseId, courseId))
  await tx.db
    .insert(courseItems)
    .values(materialIds.map((materialId, position) => ({ courseId, position, materialId })))
  await requestMeasures(tx, materialIds)
}
