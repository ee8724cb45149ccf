/** ETag, If-None-Match and If-Match of a photo (RFC 9110, 8.8.3 and 13.1). */
import { seesWhole } from '../../../core/photo-index/visibility.ts'
import { revisionOf } from '../../../core/photos/revision.ts'
import type { PhotoView } from '../../../core/photos/view.ts'
import { languageOf } from '../../../http/language.ts'
import { entityTags, matchesNone } from '../../../util/entity-tags.ts'
import { sha256 } from '../../../util/secrets.ts'
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

/** Whether the client has this answer already. */
export function isKnown(request: Request, etag: string): boolean {
  return matchesNone(request.headers.get('if-none-match') ?? '', etag)
}

/**
 * Whether a change may be made to a revision of the photo; undefined when the client names none. Only the revision in an ETag
 * counts: the rest changes with the language and with signed addresses.
 */
export function expectedRevision(request: Request): ((revision: string) => boolean) | undefined {
  const header = request.headers.get('if-match')
  if (header === null || header.trim() === '*') return undefined
  const revisions = entityTags(header).map((tag) => /^"(\d+\.[\w-]{12})-[\w-]+"$/.exec(tag)?.[1])
  return (revision) => revisions.includes(revision)
}
