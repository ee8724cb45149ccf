/** Opens a photo of any format as pixels that sharp can work on. */
import { readFileSync } from 'node:fs'
import sharp, { type Sharp, type SharpOptions } from 'sharp'
// Its settings of sharp hold for this process.
import '../picture.ts'
import { ImagingError, type Size } from '../protocol.ts'
import { brandsOf } from './bmff.ts'
import { MAX_PIXELS, tooManyPixels } from './pixels.ts'
import { type Raw, readRaw } from './raw.ts'

/** A file that holds a photo. */
export interface Source {
  /** What holds the metadata. The first one counts, and the next where it says nothing. */
  metadata: Uint8Array[]
  /** In a RAW file the largest preview comes first, and another one may be sound when that is not. */
  pictures: (() => Promise<Picture>)[]
  isRaw: boolean
}

/** The size is that of the picture as it is shown. */
export interface Picture extends Size {
  format: 'jpeg' | 'other'
  /** Decodes it as it is shown, to a size that fits into `box`. Only a JPEG may fail on a `warning`. */
  decode(box: Size, failOn: SharpOptions['failOn']): Sharp
}

const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1']
const AVIF_BRANDS = ['avif', 'avis']
/** Of the other formats that this server accepts. sharp would decode more. */
const TIFF = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+']
const SIGNATURES = ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', ...TIFF]
const beginsWith = (head: string, signatures: string[]) =>
  signatures.some((signature) => head.startsWith(signature))
const isKnown = (head: string) =>
  beginsWith(head, SIGNATURES) || (head.startsWith('RIFF') && head.startsWith('WEBP', 8))

/** How many previews of a RAW file are tried. */
const MAX_PREVIEWS = 4

/** @throws ImagingError when it is no photo of a known format */
export function openSource(path: string): Source {
  const file = readFileSync(path)
  const raw = readRaw(file)
  if (raw) return rawSource(file, raw)
  const brands = brandsOf(file)
  const isAvif = brands.some((brand) => AVIF_BRANDS.includes(brand))
  if (!isAvif && brands.some((brand) => HEIC_BRANDS.includes(brand))) {
    return { metadata: [file], pictures: [() => heicPicture(file)], isRaw: false }
  }
  if (!isAvif && !isKnown(file.toString('latin1', 0, 16))) {
    throw new ImagingError('UNREADABLE', 'it is no photo of a known format')
  }
  return { metadata: [file], pictures: [() => pictureOf(file)], isRaw: false }
}

async function heicPicture(file: Buffer): Promise<Picture> {
  const { decodeHeif } = await import('./heif.ts')
  return await pictureOf(decodeHeif(file), AS_IT_IS)
}

function rawSource(file: Buffer, { previews, metadata, orientation }: Raw): Source {
  const pictures = previews.slice(0, MAX_PREVIEWS).map(({ offset }) => file.subarray(offset))
  return {
    metadata: [...(metadata ? [metadata] : []), ...pictures.slice(0, 1)],
    pictures: pictures.map((picture) => () => pictureOf(picture, orientation)),
    isRaw: true,
  }
}

/** How to show a picture, by the number in EXIF: mirror it first, then rotate it clockwise. */
const TURNS: Record<number, { degrees: number; mirrored: boolean }> = {
  1: { degrees: 0, mirrored: false },
  2: { degrees: 0, mirrored: true },
  3: { degrees: 180, mirrored: false },
  4: { degrees: 180, mirrored: true },
  5: { degrees: 270, mirrored: true },
  6: { degrees: 90, mirrored: false },
  7: { degrees: 90, mirrored: true },
  8: { degrees: 270, mirrored: false },
}
const AS_IT_IS = 1

/**
 * A picture that sharp decodes.
 * @param orientation counts instead of the picture's own
 */
async function pictureOf(file: Buffer, orientation?: number): Promise<Picture> {
  // libtiff's own limit is too low for the layers that editors store in a TIFF. The process has limits of its own.
  const unlimited = beginsWith(file.toString('latin1', 0, 4), TIFF)
  const options = { limitInputPixels: MAX_PIXELS, pages: 1, unlimited }
  const open = (failOn: SharpOptions['failOn'] = 'error') =>
    sharp(failOn === 'warning' ? ended(file) : file, { ...options, failOn })
  const { width, height, autoOrient, format } = await open()
    .metadata()
    .catch((error) => {
      throw PIXEL_LIMIT.test(String(error)) ? tooManyPixels() : error
    })
  const fitting = (picture: Sharp, box: Size) =>
    picture.resize(box.width, box.height, { fit: 'inside', withoutEnlargement: true })
  const common = { format: format === 'jpeg' ? ('jpeg' as const) : ('other' as const) }
  if (orientation === undefined) {
    return { ...common, ...autoOrient, decode: (box, failOn) => fitting(open(failOn).autoOrient(), box) }
  }
  const { degrees, mirrored } = TURNS[orientation] ?? TURNS[AS_IT_IS]!
  const turned = (size: Size) => (degrees % 180 === 0 ? size : { width: size.height, height: size.width })
  return {
    ...common,
    ...turned({ width, height }),
    // sharp resizes first, then mirrors, then rotates.
    decode: (box, failOn) => fitting(open(failOn), turned(box)).flop(mirrored).rotate(degrees),
  }
}

/** The marker at the end of a JPEG. */
const END = Buffer.from([0xff, 0xd9])

/**
 * A JPEG with an end. Some devices write none, and then libjpeg says that the file is cut off, also when the picture is whole.
 * With it, libjpeg warns when a part of the picture is missing.
 */
const ended = (jpeg: Buffer) => (jpeg.subarray(-2).equals(END) ? jpeg : Buffer.concat([jpeg, END]))

const PIXEL_LIMIT = /pixel limit/
