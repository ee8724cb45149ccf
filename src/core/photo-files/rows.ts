import type { photoFiles } from '../../db/schema/index.ts'

export type { Exif, Place, Rendition } from '../../db/schema/photos.ts'
export type PhotoFile = typeof photoFiles.$inferSelect
