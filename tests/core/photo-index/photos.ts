/** Photos that tests write directly, without files. */
import { eq } from 'drizzle-orm'
import { indexPhotos } from '../../../src/core/photo-index/write.ts'
import { readTagName } from '../../../src/core/tags/names.ts'
import { transaction } from '../../../src/core/transaction.ts'
import {
  categories,
  photoCategories,
  photoFiles,
  photos,
  photoTags,
  tags,
} from '../../../src/db/schema/index.ts'
import { unique } from '../../support/factories.ts'
import type { TestServer } from '../../support/server.ts'

export interface NewPhoto extends Partial<typeof photos.$inferInsert> {
  title: string
  exif?: (typeof photoFiles.$inferInsert)['exif']
  categoryIds?: number[]
  tagIds?: number[]
}

/** Published and public, unless the input says otherwise. */
export async function putPhoto(server: TestServer, userId: number, input: NewPhoto): Promise<number> {
  const { exif = {}, categoryIds = [], tagIds = [], ...fields } = input
  return transaction(server.ctx, async (tx) => {
    const [file] = await tx.db
      .insert(photoFiles)
      .values({
        userId,
        status: 'completed',
        fileName: 'a.jpg',
        mimeType: 'image/jpeg',
        objectKey: unique('originals/'),
        exif,
      })
      .returning()
    const [photo] = await tx.db
      .insert(photos)
      .values({
        userId,
        fileId: file!.id,
        slug: unique('p'),
        status: 'published',
        visibility: 'public',
        ...fields,
      })
      .returning()
    const photoId = photo!.id
    if (tagIds.length > 0) await tx.db.insert(photoTags).values(tagIds.map((tagId) => ({ photoId, tagId })))
    if (categoryIds.length > 0)
      await tx.db.insert(photoCategories).values(categoryIds.map((categoryId) => ({ photoId, categoryId })))
    await indexPhotos(tx, [photoId])
    return photoId
  })
}

export async function putTag(server: TestServer, name: string): Promise<number> {
  const [tag] = await server.ctx.db
    .insert(tags)
    .values({ ...readTagName(name, 'name'), slug: unique('t') })
    .returning()
  return tag!.id
}

export async function putCategory(server: TestServer, name: string, parentId?: number): Promise<number> {
  const db = server.ctx.db
  const [parent] = parentId ? await db.select().from(categories).where(eq(categories.id, parentId)) : []
  const [row] = await db
    .insert(categories)
    .values({ name, slug: unique('c'), path: '', parentId: parentId ?? null })
    .returning()
  const path = parent ? `${parent.path}/${row!.id}` : String(row!.id)
  await db
    .update(categories)
    .set({ path, level: parent ? parent.level + 1 : 0 })
    .where(eq(categories.id, row!.id))
  return row!.id
}
