/** The ETag of a photo (RFC 9110, 8.8.3). */
import { seesWhole } from '../../../core/photo-index/visibility.ts'
import { revisionOf } from '../../../core/photos/revision.ts'
import type { PhotoView } from '../../../core/photos/view.ts'
import { languageOf } from '../../../http/language.ts'
import { sha256 } from '../../../util/secrets.ts'
import { expectedRevision } from '../conditional.ts'
import { portfolio } from '../contract.ts'
import type { PhotoDetail } from './models.ts'
import type { Showing } from './presenters.ts'

/**
 * The revision of the photo and a hash of what is shown, addresses included, because a signed address expires. The number of
 * views is left out: with it no answer would ever be the same again.
 */
export function etagOf(
  { request, viewer }: Showing & { request: Request },
  photo: PhotoView,
  shown: PhotoDetail,
): string {
  const reader = [languageOf(request, portfolio.language), seesWhole(viewer, photo)]
  const hash = sha256(JSON.stringify([reader, { ...shown, view_count: undefined }])).slice(0, 32)
  return `"${revisionOf(photo)}-${hash}"`
}

/** Whether a change may be made to a revision of the photo; undefined when the client names none. */
export const expectedPhoto = (request: Request) => expectedRevision(request, /^"(\d+\.[\w-]{12})-[\w-]+"$/)
