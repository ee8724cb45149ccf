import type { Context } from '../../../core/context.ts'
import { largestRendition, originalUrl, renditionUrls } from '../../../core/photo-files/urls.ts'
import { watermarkOf } from '../../../core/photo-files/watermark.ts'
import { isPublic, seesWhole, type Viewer } from '../../../core/photo-index/visibility.ts'
import type { BatchResult as CoreBatchResult } from '../../../core/photos/batch.ts'
import type { CategoryOfPhoto, PhotoView, TagOfPhoto } from '../../../core/photos/view.ts'
import { type SiteSettings, siteSettings } from '../../../core/system/site-settings.ts'
import { originOf } from '../../../http/origin.ts'
import { twoDecimals } from '../../../util/two-decimals.ts'
import { portfolio } from '../contract.ts'
import { presentFileId } from '../ids.ts'
import type { Batch, BatchResult, Location, Photo, PhotoDetail } from './models.ts'

/** To whom photos are shown. */
export interface Showing {
  ctx: Context
  request: Pick<Request, 'url'>
  viewer: Viewer
}

/** Photos in the form of lists. */
export async function presentPhotos(showing: Showing, photos: readonly PhotoView[]): Promise<Photo[]> {
  const settings = await siteSettings(showing.ctx)
  return Promise.all(photos.map((photo) => presentPhoto(showing, settings, photo)))
}

async function presentPhoto(showing: Showing, settings: SiteSettings, photo: PhotoView): Promise<Photo> {
  return {
    ...(await presentShared(showing, settings, photo)),
    categories: shownOf(showing, photo, photo.categories).map(presentCategory),
    tags: shownOf(showing, photo, photo.tags).map(presentTag),
  }
}

export async function presentPhotoDetail(showing: Showing, photo: PhotoView): Promise<PhotoDetail> {
  return {
    ...(await presentShared(showing, await siteSettings(showing.ctx), photo)),
    sort_order: photo.sortOrder,
    download_count: photo.downloadCount,
    file_info: {
      original_filename: photo.file.fileName,
      file_size: photo.file.fileSize,
      mime_type: photo.file.mimeType,
    },
    categories: shownOf(showing, photo, photo.categories).map((category) => ({
      ...presentCategory(category),
      description: category.description,
      is_primary: category.isPrimary,
    })),
    tags: shownOf(showing, photo, photo.tags).map((tag) => ({
      ...presentTag(tag),
      confidence: tag.confidence,
      source: tag.source,
    })),
    metadata: photo.metadata,
  }
}

async function presentShared(
  { ctx, request, viewer }: Showing,
  settings: SiteSettings,
  photo: PhotoView,
): Promise<Omit<Photo, 'categories' | 'tags'>> {
  const { file } = photo
  const whole = seesWhole(viewer, photo)
  const { exif } = file
  return {
    id: photo.id,
    title: photo.title,
    description: photo.description,
    slug: photo.slug,
    status: photo.status,
    visibility: photo.visibility,
    taken_at: photo.takenAt?.toISOString() ?? null,
    created_at: photo.createdAt.toISOString(),
    updated_at: photo.updatedAt.toISOString(),
    view_count: ctx.services.viewCounts.total(photo.id, photo.viewCount),
    like_count: photo.likeCount,
    formats: presentFormats(ctx, originOf(ctx, request), settings, photo, whole),
    exif: {
      camera: exif.camera ?? null,
      lens: exif.lens ?? null,
      iso: exif.iso ?? null,
      aperture: exif.aperture ?? null,
      shutter_speed: exif.shutterSpeed ?? null,
      focal_length: exif.focalLength ?? null,
    },
    location: presentLocation(photo, whole, settings.upload.publishLocation),
    width: file.width,
    height: file.height,
    placeholder: file.placeholder,
    processing_status: PROCESSING[file.status],
    file_id: whole ? presentFileId(file.id) : null,
  }
}

const PROCESSING = {
  receiving: 'pending',
  uploaded: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
} as const satisfies Record<PhotoView['file']['status'], Photo['processing_status']>

function presentFormats(
  ctx: Context,
  origin: string,
  settings: SiteSettings,
  photo: PhotoView,
  whole: boolean,
): Photo['formats'] {
  const hasWatermark = watermarkOf(settings) !== undefined
  const file = { ...photo.file, isPublic: isPublic(photo), whole, hasWatermark }
  const urls = renditionUrls(ctx, origin, file)
  const largest = urls[largestRendition(file)?.name ?? 'display']
  return { original: whole ? originalUrl(ctx, origin, file) : largest, jpg: urls.display, ...urls }
}

/**
 * What the owner typed. Where the owner typed nothing, the owner and holders of `photo.*` see what the file says; other viewers
 * see a coarse form of it, without the name of the place, when the site publishes places.
 */
function presentLocation(photo: PhotoView, whole: boolean, published: boolean): Location {
  const { locationName: name, latitude, longitude, country, city } = photo
  if ([name, latitude, longitude, country, city].some((value) => value !== null))
    return { name: name ?? '', latitude, longitude, country: country ?? '', city: city ?? '' }
  const { place } = photo.file
  const shown = whole ? place : published ? coarse(place) : {}
  return {
    name: shown.name ?? '',
    latitude: shown.latitude ?? null,
    longitude: shown.longitude ?? null,
    country: shown.country ?? '',
    city: shown.city ?? '',
  }
}

type Place = PhotoView['file']['place']

const coarse = ({ latitude, longitude, country, city }: Place): Place => ({
  ...(latitude !== undefined && { latitude: twoDecimals(latitude) }),
  ...(longitude !== undefined && { longitude: twoDecimals(longitude) }),
  ...(country !== undefined && { country }),
  ...(city !== undefined && { city }),
})

/** Inactive categories and tags are hidden from visitors of the site. */
const shownOf = <T extends { isActive: boolean }>({ viewer }: Showing, photo: PhotoView, all: T[]): T[] =>
  seesWhole(viewer, photo) ? all : all.filter(({ isActive }) => isActive)

const presentCategory = ({ id, name, slug, color }: CategoryOfPhoto) => ({
  id,
  name,
  slug,
  color: color ?? '',
})

const presentTag = ({ id, name, slug, color }: TagOfPhoto) => ({ id, name, slug, color: color ?? '' })

export const presentBatch = (
  request: Request,
  action: Batch['action'],
  { succeeded, failed }: CoreBatchResult,
): BatchResult => ({
  action,
  succeeded,
  failed: failed.map(({ id, error }) => ({
    id,
    error: portfolio.text(request, error.code, error.params),
    code: portfolio.errors[error.code][1],
  })),
  summary: { total: succeeded.length + failed.length, success: succeeded.length, failed: failed.length },
})
