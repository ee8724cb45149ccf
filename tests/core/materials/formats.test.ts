import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { AppError } from '../../../src/core/errors.ts'
import { detectFormat, SNIFF_BYTES } from '../../../src/core/files/formats.ts'
import { MATERIAL_FORMATS } from '../../../src/core/materials/formats.ts'

const video = readFileSync(new URL('../../imaging/fixtures/h264.mp4', import.meta.url))

/** The extension of the detected format, or the code of the error. */
const taken = async (content: Uint8Array | string): Promise<string> => {
  try {
    return (await detectFormat(MATERIAL_FORMATS, Buffer.from(content as string).subarray(0, SNIFF_BYTES)))
      .extension
  } catch (error) {
    return (error as AppError).code
  }
}

/** The same video under another major brand (ISO/IEC 14496-12, 4.3). */
const branded = (brand: string): Buffer => {
  const copy = Buffer.from(video)
  copy.write(brand, 8, 'latin1')
  return copy
}

describe('the brand of an .mp4', () => {
  test.each(
    'isom iso2 iso4 iso6 iso9 avc1 mp41 mp42 dash cmfc hvc1 av01 M4V  M4VH MSNV XAVC f4v  qt   3gp4 3gp6 3g2a'.match(
      /\S+ ?/g,
    )!,
  )('%j is a video', async (brand) => expect(await taken(branded(brand.padEnd(4).slice(0, 4)))).toBe('mp4'))
  test.each(['M4A ', 'M4B ', 'heic', 'avif', 'crx '])('%j is none', async (brand) =>
    expect(await taken(branded(brand))).toBe('UNSUPPORTED_FILE_TYPE'),
  )
})

describe('the header of a PDF', () => {
  const pdf = '%PDF-1.7\n1 0 obj<<>>endobj\n'
  test.each([
    ['at the beginning', ''],
    ['behind a newline', '\n'],
    ['behind a byte order mark', '\ufeff'],
    ['behind an HTTP header', 'HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\n\r\n'],
    ['behind zeros', '\0'.repeat(500)],
    ['behind what looks like XML', '<?xml version="1.0"?>\n'],
    ['behind what looks like PostScript', '%!PS-Adobe-3.0\n'],
    ['behind what looks like a picture', 'GIF89a'],
    ['at the end of the first 1,024 bytes', ' '.repeat(1024 - '%PDF-'.length)],
  ])('%s', async (_, before) => expect(await taken(before + pdf)).toBe('pdf'))

  test('counts no further away, nor in other letters', async () => {
    expect(await taken(' '.repeat(1020) + pdf)).toBe('UNSUPPORTED_FILE_TYPE')
    expect(await taken(pdf.toLowerCase())).toBe('UNSUPPORTED_FILE_TYPE')
  })
})

test('a video with the header of a PDF in its first bytes is a video', async () => {
  const free = Buffer.from('\0\0\0\x18free%PDF-1.7\n1 0 obj', 'latin1')
  const ftyp = video.subarray(0, video.readUInt32BE(0))
  expect(await taken(Buffer.concat([ftyp, free, video.subarray(ftyp.length)]))).toBe('mp4')
})
