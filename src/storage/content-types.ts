/**
 * In both forms of the storage, an object's type depends only on its key: the extension of a key comes from the content
 * that was detected, so that no type has to be stored with the file.
 */

const TYPES: Record<string, string> = {
  avif: 'image/avif',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  json: 'application/json',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  txt: 'text/plain; charset=utf-8',
  webm: 'video/webm',
  webp: 'image/webp',
}

const UNKNOWN = 'application/octet-stream'

/** Media that browsers show without running code in them. A PDF's scripts stay in the viewer's sandbox. */
const SHOWN = /^(image|video)\/|^application\/pdf$/

/** Other extensions are served as bytes: HTML, SVG and scripts never get their own type. */
export function contentTypeOf(key: string): string {
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(TYPES, extension) ? TYPES[extension]! : UNKNOWN
}

/** The Content-Disposition of an object. Browsers save what they need not show. */
export const dispositionOf = (key: string): 'inline' | 'attachment' =>
  SHOWN.test(contentTypeOf(key)) ? 'inline' : 'attachment'
