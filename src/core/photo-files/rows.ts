import type { photoFiles } from '../../db/schema/index.ts'
import type { Rendition } from '../../db/schema/photos.ts'

export type { Exif, Place, Rendition } from '../../db/schema/photos.ts'
export type PhotoFile = typeof photoFiles.$inferSelect

export const RENDITION_NAMES = [
  'thumb_small',
  'thumb_medium',
  'thumb_large',
  'display',
  'webp',
] as const satisfies readonly Rendition['name'][]
