/** What is shown in a thumbnail's place when there is none: drawn by us, the same bytes each time. */
import sharp from 'sharp'
import type { ThumbnailKind } from './protocol.ts'

const SIGN: Record<ThumbnailKind, string> = {
  video: '<circle cx="320" cy="180" r="64"/><path d="M298 144 l60 36 l-60 36 z" fill="#e5e7eb"/>',
  pdf:
    '<path d="M268 100 h72 l44 44 v116 h-116 z"/><path d="M340 100 v44 h44 z" fill="#6b7280"/>' +
    '<path d="M288 176 h76 M288 200 h76 M288 224 h48" stroke="#e5e7eb" stroke-width="8"/>',
}

/** A JPEG of 640 × 360. */
export function placeholder(kind: ThumbnailKind): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360">
    <rect width="640" height="360" fill="#e5e7eb"/><g fill="#9ca3af">${SIGN[kind]}</g></svg>`
  return sharp(Buffer.from(svg), { limitInputPixels: 640 * 360 })
    .jpeg({ quality: 80 })
    .toBuffer()
}
