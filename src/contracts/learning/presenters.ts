import type { User as Account } from '../../core/accounts/accounts.ts'
import type { SignedIn } from '../../core/accounts/sessions.ts'
import type { Context } from '../../core/context.ts'
import { fileUrl } from '../../core/materials/files.ts'
import type {
  Material as CoreMaterial,
  MaterialView,
  RelatedMaterial,
} from '../../core/materials/materials.ts'
import { originOf } from '../../http/origin.ts'
import { learning } from './contract.ts'
import type {
  Material,
  MaterialDetail,
  Refreshed,
  Session,
  ThumbnailState,
  Uploaded,
  UploadState,
  User,
} from './models.ts'

export const presentUser = (user: Account): User => ({
  id: user.id,
  email: user.email,
  name: user.displayName,
  avatar_url: user.avatarUrl,
  is_active: user.isActive,
  created_at: user.createdAt.toISOString(),
})

export const presentRefreshed = ({ accessToken, refreshToken, expiresIn }: SignedIn): Refreshed => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer',
  expires_in: expiresIn,
})

export const presentSession = (session: SignedIn): Session => ({
  ...presentRefreshed(session),
  user: presentUser(session.user),
})

/** Absolute URLs of stored objects, for one request. */
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

/** docs/contracts/learning.md, "Upload status": each status has a fixed progress; the live channel counts bytes. */
const PROGRESS = { processing: 50, active: 100, hidden: 100 } as const

export const presentUploadState = (request: Request, material: CoreMaterial): UploadState => ({
  material_id: material.id,
  status: material.status,
  progress: PROGRESS[material.status],
  message: learning.text(request, `upload_${material.status}`),
  ...thumbnailOf(material),
})

/** The record goes on naming what was removed: it says what to remove should that fail. */
function thumbnailOf({ removedAt, thumbnailPath, thumbnailStatus }: CoreMaterial) {
  const removed = removedAt !== null
  return {
    thumbnail_path: removed ? null : thumbnailPath,
    has_thumbnail: !removed && thumbnailStatus === 'completed',
  }
}

export const presentThumbnailState = (material: CoreMaterial): ThumbnailState => ({
  material_id: material.id,
  // Deleted materials get none any more.
  thumbnail_status:
    material.status === 'hidden' && material.thumbnailStatus === 'pending'
      ? 'failed'
      : material.thumbnailStatus,
  ...thumbnailOf(material),
})
