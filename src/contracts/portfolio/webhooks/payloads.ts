/** The `data` of the bodies of webhooks, where the contract's document shows more than the event: docs/contracts/portfolio.md, "Webhooks". */
import type { Principal } from '../../../core/accounts/principals.ts'
import { type CategoryDetail, readCategories } from '../../../core/categories/read.ts'
import type { Context } from '../../../core/context.ts'
import { sees } from '../../../core/photos/read.ts'
import { type PhotoView, viewPhotos } from '../../../core/photos/view.ts'
import type { HookedEvent, WebhookOwner } from '../../../core/webhooks/payloads.ts'
import { originOf } from '../../../http/origin.ts'
import { presentCategoryDetail } from '../categories/presenters.ts'
import { presentPhotoDetail } from '../photos/presenters.ts'

/** No request says under which address a receiver knows this server. PUBLIC_URL does. */
const requestTo = ({ config }: Context) => ({ url: `http://localhost:${config.port}/` })

/** Photos and categories in full, as the owner of the webhook sees them; of deleted ones, and of those that are gone, what the event says. */
export async function presentPayloads(
  ctx: Context,
  events: HookedEvent[],
): Promise<PromiseSettledResult<object | undefined>[]> {
  const ids = events.flatMap(({ type, event }) => (type in OF_PHOTOS ? idOf(event, 'photo_id') : []))
  const photos = new Map((await viewPhotos(ctx, [...new Set(ids)])).map((photo) => [photo.id, photo]))
  const categories = readCategoriesOf(ctx, events)
  return Promise.allSettled(events.map(async (event) => payloadOf(ctx, event, photos, categories)))
}

const OF_PHOTOS = { 'photo.created': true, 'photo.updated': true }
const OF_CATEGORIES = { 'category.created': true, 'category.updated': true }

type CategoriesOf = ReadonlyMap<number, Promise<ReadonlyMap<number, CategoryDetail>>>

/** The categories of events, by the owner of the webhook, who sees counts and covers of their own. */
function readCategoriesOf(ctx: Context, events: HookedEvent[]): CategoriesOf {
  const ofCategories = events.filter(({ type }) => type in OF_CATEGORIES)
  const byOwner = Map.groupBy(ofCategories, ({ owner }) => owner.userId)
  return new Map(
    [...byOwner].map(([userId, [first, ...more]]) => {
      const ids = [first!, ...more].map(({ event }) => idOf(event, 'category_id'))
      return [userId, readCategories(ctx, viewerOf(first!.owner), originOf(ctx, requestTo(ctx)), ids)]
    }),
  )
}

function payloadOf(
  ctx: Context,
  hooked: HookedEvent,
  photos: ReadonlyMap<number, PhotoView>,
  categories: CategoriesOf,
) {
  switch (hooked.type) {
    case 'photo.created':
    case 'photo.updated':
      return photoOf(ctx, hooked, photos.get(idOf(hooked.event, 'photo_id')))
    case 'category.created':
    case 'category.updated':
      return categoryOf(hooked, categories)
    case 'photo.deleted':
      return known(hooked.event, 'photo_id')
    case 'category.deleted':
      return known(hooked.event, 'category_id')
    default:
      return undefined
  }
}

async function photoOf(
  ctx: Context,
  { owner, event }: HookedEvent,
  photo: PhotoView | undefined,
): Promise<object> {
  const viewer = viewerOf(owner)
  if (!photo || !sees(viewer, photo)) return known(event, 'photo_id')
  return presentPhotoDetail({ ctx, request: requestTo(ctx), viewer }, photo)
}

async function categoryOf({ owner, event }: HookedEvent, categories: CategoriesOf): Promise<object> {
  const category = (await categories.get(owner.userId)!).get(idOf(event, 'category_id'))
  return category ? presentCategoryDetail(category) : known(event, 'category_id')
}

const idOf = (event: object, field: string): number => (event as Record<string, number>)[field]!

/** What the event says, with the id under the name that the full form has. */
function known(event: object, field: string): object {
  const { [field]: id, ...rest } = event as Record<string, unknown>
  return { id, ...rest }
}

const viewerOf = (owner: WebhookOwner): Principal => ({ ...owner, sessionId: '' })
