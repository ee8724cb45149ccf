/**
 * An object's type is a function of its key, in both forms of the storage: keys get their extension from what the
 * content was found to be, and nothing has to be remembered beside the file.
 */

const TYPES: Record<string, string> = {
  avif: 'image/avif',
  gif: 'image/gif',
  heic: 'image/heic',
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

/** Media that browsers show without running anything in them. A PDF's scripts stay in the viewer's sandbox. */
const SHOWN = /^(image|video)\/|^application\/pdf$/

/** What is not in the table is just bytes: HTML, SVG and scripts are never served as such. */
export function contentTypeOf(key: string): string {
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(TYPES, extension) ? TYPES[extension]! : UNKNOWN
}

/** The Content-Disposition to serve an object with: what a browser need not show is saved. */
export const dispositionOf = (key: string): 'inline' | 'attachment' =>
  SHOWN.test(contentTypeOf(key)) ? 'inline' : 'attachment'
