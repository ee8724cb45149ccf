import { Type } from '@sinclair/typebox'
import { isCalendarDate } from '../../../util/calendar-date.ts'
import { cutText } from '../../../util/cut.ts'
import type { Principal } from '../../accounts/principals.ts'
import { invalid } from '../../errors.ts'
import { seesWhole } from '../../photo-index/visibility.ts'
import { readPhoto } from '../../photos/read.ts'
import { searchPhotos } from '../../photos/search.ts'
import type { PhotoView } from '../../photos/view.ts'
import { defineTool } from './tool.ts'

const MAX_DESCRIPTION = 300

/** Only what the photo's page shows to this user. Inactive categories and tags are for those who see the whole photo. */
function photoForModel(who: Principal, photo: PhotoView) {
  const whole = seesWhole(who, photo)
  const shown = <T extends { isActive: boolean; name: string }>(named: T[]) =>
    named.filter(({ isActive }) => isActive || whole).map(({ name }) => name)
  return {
    id: photo.id,
    title: photo.title,
    description: cutText(photo.description, MAX_DESCRIPTION, '…'),
    taken_at: photo.takenAt?.toISOString() ?? null,
    categories: shown(photo.categories),
    tags: shown(photo.tags),
    is_own: photo.userId === who.userId,
  }
}

const Day = Type.String({ maxLength: 10, description: 'Day as YYYY-MM-DD' })

function assertDay(field: string, day: string | undefined): void {
  if (day !== undefined && !isCalendarDate(day)) throw invalid(field, 'calendar_date')
}

export const photoTools = [
  defineTool({
    name: 'search_photos',
    description:
      'Searches the photos that the user may see by words in Chinese or English or by pinyin, the best first.',
    effect: 'read',
    input: Type.Object({
      query: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
      tags: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), { maxItems: 10 })),
      taken_from: Type.Optional(Day),
      taken_to: Type.Optional(Day),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
    }),
    async run(ctx, who, { query, tags = [], taken_from, taken_to, limit = 10 }) {
      assertDay('taken_from', taken_from)
      assertDay('taken_to', taken_to)
      const days = { dateFrom: taken_from, dateTo: taken_to }
      const { photos, total } = await searchPhotos(ctx, who, { query, tags, ...days, page: 1, limit })
      return { total, photos: photos.map(({ photo }) => photoForModel(who, photo)) }
    },
  }),
  defineTool({
    name: 'show_photo',
    description:
      'Shows a photo that the user may see: what it shows, its camera, and whether it is published.',
    effect: 'read',
    input: Type.Object({
      photo_id: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Number of the photo' }),
    }),
    async run(ctx, who, { photo_id }) {
      const photo = await readPhoto(ctx, who, photo_id)
      const { width, height, exif } = photo.file
      return {
        ...photoForModel(who, photo),
        status: photo.status,
        visibility: photo.visibility,
        width,
        height,
        camera: exif.camera ?? null,
        lens: exif.lens ?? null,
        views: ctx.services.viewCounts.total(photo.id, photo.viewCount),
        likes: photo.likeCount,
      }
    },
  }),
]
