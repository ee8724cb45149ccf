/**
 * The containers of photos: ways to put metadata into them beside those of `jpegWith`, and what the file of a rendition
 * consists of.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { heicOf } from './heif.ts'
import { jpegWith, twoColours } from './photo-fixtures.ts'
import { tiffOf } from './tiff.ts'

/** A picture with another one behind it, to which an index in APP2 leads (CIPA DC-007, Multi-Picture Format). */
export async function withSecondImage(second: Buffer): Promise<Buffer> {
  const index = tiffOf([
    [
      { tag: 0xb000, type: 'undefined', value: Buffer.from('0100') },
      { tag: 0xb001, type: 'long', value: [2] },
      { tag: 0xb002, type: 'undefined', value: Buffer.alloc(32) },
    ],
  ])
  const first = await jpegWith({ segments: [[0xe2, Buffer.concat([Buffer.from('MPF\0', 'latin1'), index])]] })
  const at = first.indexOf('MPF\0', 0, 'latin1') + 4
  const entries = first.indexOf(Buffer.alloc(32), at)
  first.writeUInt32LE(0x030000, entries)
  first.writeUInt32LE(first.length, entries + 4)
  first.writeUInt32LE(second.length, entries + 20)
  first.writeUInt32LE(first.length - at, entries + 24)
  return Buffer.concat([first, second])
}

/** @param chunks stand before the picture's data */
export async function pngWith(chunks: [type: string, content: Buffer][]): Promise<Buffer> {
  const png = await twoColours(96, 64).png().toBuffer()
  const added = chunks.map(([type, content]) => {
    const chunk = Buffer.alloc(12 + content.length)
    chunk.writeUInt32BE(content.length)
    chunk.write(type, 4, 'latin1')
    content.copy(chunk, 8)
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
    return chunk
  })
  // Behind the signature and IHDR.
  return Buffer.concat([png.subarray(0, 33), ...added, png.subarray(33)])
}

export const internationalText = (keyword: string, value: string) =>
  Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`), Buffer.from(value)])

export async function webpWith(exif: Buffer, xmp: string): Promise<Buffer> {
  const webp = await twoColours(96, 64).webp().toBuffer()
  const chunk = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8)
    head.write(type, 'latin1')
    head.writeUInt32LE(content.length, 4)
    return Buffer.concat([head, content, Buffer.alloc(content.length % 2)])
  }
  const extended = Buffer.alloc(10)
  // EXIF and XMP are there; width and height less one.
  extended[0] = 0x0c
  extended.writeUIntLE(95, 4, 3)
  extended.writeUIntLE(63, 7, 3)
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', extended),
    webp.subarray(12),
    chunk('EXIF', exif),
    chunk('XMP ', Buffer.from(xmp)),
  ])
  const head = Buffer.alloc(8)
  head.write('RIFF')
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}

/** A picture of the one frame of a video, with Exif and XMP as items of the container. */
export function heicWith(exif: Buffer, xmp: string): Buffer {
  const video = readFileSync(join(import.meta.dir, '../imaging/fixtures/hevc.mp4'))
  const width = 160
  const height = 90
  const { parameters, slice } = firstFrame(video)
  return heicOf({
    parameters,
    slices: [slice],
    tile: { width, height },
    columns: 1,
    width,
    height,
    exif,
    xmp,
  })
}

/** The NAL units of the first frame of an mp4 (ISO/IEC 14496-15, 8.3.3.1). */
function firstFrame(video: Buffer): { parameters: Buffer[]; slice: Buffer } {
  const parameters: Buffer[] = []
  let at = video.indexOf('hvcC', 0, 'latin1') + 27
  for (let arrays = video[at - 1]!; arrays > 0; arrays--) {
    const type = video[at]! & 63
    const length = video.readUInt16BE(at + 3)
    // Video, sequence and picture parameters; each array has one unit.
    if (type >= 32 && type <= 34) parameters.push(video.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  at = video.readUInt32BE(video.indexOf('stco', 0, 'latin1') + 12)
  const length = video.readUInt32BE(at)
  return { parameters, slice: video.subarray(at + 4, at + 4 + length) }
}

/** What a rendition consists of beside its picture: segments of a JPEG, chunks of a WebP, and bytes behind the end. */
export function partsOf(rendition: Buffer): string[] {
  return rendition.subarray(8, 12).toString('latin1') === 'WEBP' ? chunksOf(rendition) : segmentsOf(rendition)
}

function segmentsOf(jpeg: Buffer): string[] {
  const parts: string[] = []
  let at = 2
  while (jpeg[at + 1] !== 0xda) {
    parts.push(jpeg[at + 1]!.toString(16))
    at += 2 + jpeg.readUInt16BE(at + 2)
  }
  const end = jpeg.indexOf(Buffer.from([0xff, 0xd9]), at) + 2
  if (end < jpeg.length) parts.push('behind the end')
  return parts
}

function chunksOf(webp: Buffer): string[] {
  const parts: string[] = []
  const end = 8 + webp.readUInt32LE(4)
  for (let at = 12; at < end; ) {
    parts.push(webp.toString('latin1', at, at + 4))
    const size = webp.readUInt32LE(at + 4)
    at += 8 + size + (size % 2)
  }
  if (end < webp.length) parts.push('behind the end')
  return parts
}
