import type { Context } from '../../../core/context.ts'
import { fileUrl } from '../../../core/files/open.ts'
import type { MaterialView, RelatedMaterial } from '../../../core/materials/materials.ts'
import type { Material as CoreMaterial } from '../../../core/materials/rows.ts'
import { originOf } from '../../../http/origin.ts'
import type { Material, MaterialDetail, Uploaded } from './models.ts'

/** Makes the absolute URL of a stored object, for the client of one request. */
export type UrlOf = (key: string) => string
export function urlsFor(ctx: Context, request: Request): UrlOf {
  const origin = originOf(ctx, request)
  return (key) => fileUrl(ctx, origin, key)
}

export const presentUploaded = (urlOf: UrlOf, material: CoreMaterial): Uploaded => ({
  id: material.id,
  title: material.title,
  description: material.description,
  type: material.type,
  file_path: material.filePath,
  file_size: material.fileSize,
  file_format: material.fileFormat,
  thumbnail_path: material.thumbnailPath,
  uploader_id: material.userId,
  view_count: material.viewCount,
  like_count: material.likeCount,
  status: material.status,
  created_at: material.createdAt.toISOString(),
  updated_at: material.updatedAt.toISOString(),
  file_url: urlOf(material.filePath),
  thumbnail_url: material.thumbnailPath === null ? null : urlOf(material.thumbnailPath),
})

export const presentMaterial = (urlOf: UrlOf, material: MaterialView): Material => ({
  ...presentUploaded(urlOf, material),
  uploader_name: material.uploaderName,
  uploader_avatar: material.uploaderAvatar,
  is_liked: material.isLiked,
})

export const presentMaterialDetail = (
  urlOf: UrlOf,
  material: MaterialView & { related: RelatedMaterial[] },
): MaterialDetail => ({
  ...presentMaterial(urlOf, material),
  related_materials: material.related.map((related) => ({
    id: related.id,
    title: related.title,
    type: related.type,
    thumbnail_path: related.thumbnailPath,
    view_count: related.viewCount,
    like_count: related.likeCount,
  })),
})
