/** If-None-Match and If-Match of answers that depend on the reader (RFC 9110, 13.1). */
import type { Call } from '../../http/chapter.ts'
import { varyBy } from '../../http/vary.ts'
import { entityTags, matchesNone } from '../../util/entity-tags.ts'

/** Whether the client has this answer already. */
export const isKnown = (request: Request, etag: string): boolean =>
  matchesNone(request.headers.get('if-none-match') ?? '', etag)

/**
 * Whether a change may be made to a revision; undefined when the client names none. Only the revision in an ETag counts, because
 * the rest of it differs between readers.
 * @param form of an ETag, with the revision as its first group
 */
export function expectedRevision(
  request: Request,
  form: RegExp,
): ((revision: string) => boolean) | undefined {
  const header = request.headers.get('if-match')
  if (header === null || header.trim() === '*') return undefined
  const revisions = entityTags(header).map((tag) => form.exec(tag)?.[1])
  return (revision) => revisions.includes(revision)
}

/** A cache of one user asks before it uses the answer again, and keeps one for each account and language. */
export const forThisReader = (set: Call['set']): void => varyBy(set, 'Authorization, Accept-Language')
