const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"/g
const opaque = (tag: string): string => tag.replace(/^W\//, '')

/** The entity tags in a field such as If-Match (RFC 9110, 8.8.3). */
export const entityTags = (field: string): string[] => field.match(ENTITY_TAG) ?? []

/** Whether If-None-Match names this representation, by weak comparison (RFC 9110, 13.1.2). */
export function matchesNone(field: string, etag: string): boolean {
  if (field.trim() === '*') return true
  return entityTags(field).some((tag) => opaque(tag) === opaque(etag))
}
