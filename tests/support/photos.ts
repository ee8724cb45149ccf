/** Photos for tests that need rows and no files. */
import type { Tx } from '../../src/core/context.ts'
import { indexPhotos } from '../../src/core/photo-index/write.ts'
import { resolveTags } from '../../src/core/tags/resolve.ts'
import { transaction } from '../../src/core/transaction.ts'
import { photoCategories, photoFiles, photos, photoTags } from '../../src/db/schema/index.ts'
import { type TestUser, unique } from './factories.ts'
import type { TestServer } from './server.ts'

type PhotoRow = typeof photos.$inferSelect

export interface NewPhoto extends Partial<typeof photos.$inferInsert> {
  /** The first one is primary. */
  categoryIds?: number[]
  /** Names. */
  tags?: string[]
  /** Of its file. */
  exif?: (typeof photoFiles.$inferInsert)['exif']
}

/** Photos in the index, public unless the input says otherwise; no file of them exists. */
export async function makePhotos(
  server: TestServer,
  { user }: TestUser,
  inputs: NewPhoto[],
): Promise<PhotoRow[]> {
  if (inputs.length === 0) return []
  return transaction(server.ctx, async (tx) => {
    const files = await tx.db
      .insert(photoFiles)
      .values(inputs.map(({ exif = {} }) => ({ ...fileRow(user.id), exif })))
      .returning()
    const rows = inputs.map(({ categoryIds: _, tags: __, exif: ___, ...input }, n) => ({
      userId: user.id,
      fileId: files[n]!.id,
      title: unique('Photo '),
      slug: unique('photo-'),
      status: 'published' as const,
      visibility: 'public' as const,
      ...input,
    }))
    const made = await tx.db.insert(photos).values(rows).returning()
    const joins = made.flatMap(({ id }, n) =>
      (inputs[n]!.categoryIds ?? []).map((categoryId, at) => ({
        photoId: id,
        categoryId,
        isPrimary: at === 0,
      })),
    )
    if (joins.length > 0) await tx.db.insert(photoCategories).values(joins)
    await tagPhotos(
      tx,
      made.map(({ id }, n) => ({ photoId: id, names: inputs[n]!.tags ?? [] })),
    )
    await indexPhotos(
      tx,
      made.map(({ id }) => id),
    )
    return made
  })
}

/** @returns the id of a photo as `makePhotos` makes it */
export async function makePhoto(server: TestServer, owner: TestUser, input: NewPhoto): Promise<number> {
  const [photo] = await makePhotos(server, owner, [input])
  return photo!.id
}

/** @returns the id of the tag with this name */
export async function makeTag(server: TestServer, name: string): Promise<number> {
  const [id] = await transaction(server.ctx, (tx) => resolveTags(tx, [name]))
  return id!
}

async function tagPhotos(tx: Tx, photos: { photoId: number; names: string[] }[]): Promise<void> {
  const names = [...new Set(photos.flatMap(({ names }) => names))]
  const ids = await resolveTags(tx, names)
  const joins = photos.flatMap(({ photoId, names: own }) =>
    own.map((name, position) => ({ photoId, tagId: ids[names.indexOf(name)]!, position })),
  )
  if (joins.length > 0) await tx.db.insert(photoTags).values(joins)
}

/** A processed file whose objects do not exist. */
export const fileRow = (userId: number, id?: number): typeof photoFiles.$inferInsert => ({
  ...(id !== undefined && { id }),
  userId,
  status: 'completed',
  fileName: 'DSC_0001.jpg',
  mimeType: 'image/jpeg',
  objectKey: unique('originals/'),
  width: 3000,
  height: 2000,
  renditions: RENDITIONS.map((name) => ({
    name,
    key: unique('photos/'),
    width: 300,
    height: 200,
    size: 1000,
  })),
})

const RENDITIONS = ['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp'] as const
