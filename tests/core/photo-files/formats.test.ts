import { expect, test } from 'bun:test'
import sharp from 'sharp'
import { detectFormat, SNIFF_BYTES } from '../../../src/core/files/formats.ts'
import { photoFormats } from '../../../src/core/photo-files/formats.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { type Entry, tiffOf } from '../../support/tiff.ts'

const PICTURE = await picture96()
const bytes = (text: string, length = 200) => {
  const buffer = Buffer.alloc(length)
  buffer.write(text, 'latin1')
  return buffer
}
/** A first box with these brands. */
const brands = (major: string, ...compatible: string[]) => {
  const box = Buffer.from(`....ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1')
  box.writeUInt32BE(box.length, 0)
  return Buffer.concat([box, Buffer.alloc(100)])
}
const REDUCED: Entry = { tag: 254, type: 'long', value: [1] }
const OTHERS: Entry = { tag: 330, type: 'ifd', value: [[{ tag: 256, type: 'short', value: [1] }]] }
const make = (value: string): Entry => ({ tag: 271, type: 'ascii', value })
const DNG_VERSION: Entry = { tag: 50706, type: 'byte', value: [1, 4, 0, 0] }
/** Many cameras write it; file-type takes it for a mark of Sony. */
const PRINT_IM: Entry = { tag: 50341, type: 'undefined', value: Buffer.from('PrintIM\0') }
/** The same in big-endian order, as Nikon writes it: a first directory with a subfile type, a make and sub-directories. */
const bigEndian = () => {
  const file = Buffer.alloc(100)
  file.write('MM\0*', 'latin1')
  file.writeUInt32BE(8, 4)
  file.writeUInt16BE(3, 8)
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    file.writeUInt16BE(tag, at)
    file.writeUInt16BE(type, at + 2)
    file.writeUInt32BE(count, at + 4)
    file.writeUInt32BE(value, at + 8)
  }
  entry(10, 254, 4, 1, 1)
  entry(22, 271, 2, 18, 60)
  entry(34, 330, 4, 1, 90)
  file.write('NIKON CORPORATION\0', 60, 'latin1')
  return file
}
/** A PNG whose colour profile is longer than the bytes that decide. */
async function pngWithProfile() {
  const png = await sharp(PICTURE).png().toBuffer()
  const chunk = Buffer.alloc(12 + 2 * SNIFF_BYTES)
  chunk.writeUInt32BE(2 * SNIFF_BYTES, 0)
  chunk.write('iCCP', 4, 'latin1')
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)])
}

const FILES: [string, Uint8Array, string | undefined][] = [
  ['a JPEG', PICTURE, 'image/jpeg'],
  ['a PNG', await sharp(PICTURE).png().toBuffer(), 'image/png'],
  ['a PNG with a large profile', await pngWithProfile(), 'image/png'],
  ['a WebP', await sharp(PICTURE).webp().toBuffer(), 'image/webp'],
  ['an AVIF', await sharp(PICTURE).avif({ effort: 0 }).toBuffer(), 'image/avif'],
  ['an AVIF that calls itself a HEIF', brands('mif1', 'mif1', 'miaf', 'avif'), 'image/avif'],
  ['a HEIC of an iPhone', brands('heic', 'mif1', 'MiHE', 'MiPr', 'heic'), 'image/heic'],
  ['a HEIC of a Samsung', brands('mif1', 'mif1', 'heic'), 'image/heic'],
  ['a HEIF', brands('mif1', 'miaf'), 'image/heif'],
  ['a TIFF', await sharp(PICTURE).tiff().toBuffer(), 'image/tiff'],
  ['a BigTIFF', await sharp(PICTURE).tiff({ bigtiff: true }).toBuffer(), 'image/tiff'],
  ['a big-endian BigTIFF', bytes('MM\0+\0\x08\0\0'), 'image/tiff'],
  ['a TIFF of a Nikon program', tiffOf([[make('NIKON'), OTHERS]]), 'image/tiff'],
  ['a TIFF of a camera with PrintIM', tiffOf([[make('OLYMPUS'), PRINT_IM]]), 'image/tiff'],
  ['a DNG', tiffOf([[REDUCED, make('Apple'), OTHERS, DNG_VERSION]]), 'image/x-adobe-dng'],
  ['a DNG with PrintIM', tiffOf([[REDUCED, make('RICOH'), PRINT_IM, DNG_VERSION]]), 'image/x-adobe-dng'],
  ['a CR2', bytes('II*\0\x10\0\0\0CR\x02\0'), 'image/x-canon-cr2'],
  ['a CR3', brands('crx ', 'crx ', 'isom'), 'image/x-canon-cr3'],
  ['a NEF', tiffOf([[REDUCED, make('NIKON CORPORATION'), OTHERS]]), 'image/x-nikon-nef'],
  ['a big-endian NEF', bigEndian(), 'image/x-nikon-nef'],
  ['an ARW', tiffOf([[REDUCED, make('SONY'), OTHERS, PRINT_IM]]), 'image/x-sony-arw'],
  ['a RAF', bytes('FUJIFILMCCD-RAW 0201'), 'image/x-fujifilm-raf'],
  ['an ORF', bytes('IIRO\x08\0\0\0\x18'), 'image/x-olympus-orf'],
  ['an older ORF', bytes('IIRS\x08\0\0\0'), 'image/x-olympus-orf'],
  ['a big-endian ORF', bytes('MMOR\0\0\0\x08'), 'image/x-olympus-orf'],
  ['an RW2', bytes('IIU\0\x18\0\0\0\x88\xe7\x74\xd8'), 'image/x-panasonic-rw2'],
  ['a GIF', await sharp(PICTURE).gif().toBuffer(), undefined],
  ['an SVG', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), undefined],
  ['an MP4', brands('isom', 'mp42'), undefined],
  ['a PDF', bytes('%PDF-1.4'), undefined],
  ['two bytes', Buffer.from('II'), undefined],
  ['an empty box', Buffer.from('\0\0\0\0ftyp', 'latin1'), undefined],
]

test.each(FILES)('%s', async (_, file, mimeType) => {
  const accepted = photoFormats(1000)
  const found = detectFormat(accepted, file.subarray(0, SNIFF_BYTES))
  if (mimeType) expect((await found).mimeType).toBe(mimeType)
  else await expect(found).rejects.toMatchObject({ code: 'UNSUPPORTED_PHOTO' })
})

test('a file that is cut off anywhere is no error of the server', async () => {
  for (const [, file] of FILES) {
    for (let length = 1; length < 60; length++) {
      const found = detectFormat(photoFormats(1000), new Uint8Array(file.subarray(0, length)))
      await found.catch((error) => expect(error).toMatchObject({ code: 'UNSUPPORTED_PHOTO' }))
    }
  }
})
