/**
 * RAW files of cameras. They hold their picture as a JPEG too, often in several sizes, and the largest one that can be
 * decoded is taken. Where it stands is different in each format, and in some it is nowhere documented; but the sensor's
 * data are never in a JPEG that a viewer decodes, except in DNG, whose own structure says what is a preview.
 */
import type { Size } from '../protocol.ts'
import { boxes } from './bmff.ts'
import { type EmbeddedJpeg, findJpegs, jpegAt } from './jpeg.ts'
import { type Ifd, readIfds, TAG } from './tiff.ts'
import { joinTiffs } from './tiff-join.ts'

export interface Raw {
  /** The largest first. */
  previews: EmbeddedJpeg[]
  /** A TIFF with the metadata, if they are not in the previews. */
  metadata: Buffer | undefined
  /** 1 to 8, as in EXIF; undefined when only the preview says it. */
  orientation: number | undefined
}

const JPEG_COMPRESSIONS = [6, 7]
/** Colour filter array, and linear raw. */
const SENSOR_DATA = [32_803, 34_892]

/** Undefined when the file is no RAW file. */
export function readRaw(file: Buffer): Raw | undefined {
  const head = file.toString('latin1', 0, 16)
  if (head.startsWith('FUJIFILMCCD-RAW')) return rawOf(findJpegs(file), undefined)
  if (head.startsWith('ftypcrx ', 4)) return rawOf(findJpegs(file), canonMetadata(file))
  // ORF, in which the number of TIFF is another one; RW2 likewise.
  if (['IIRO', 'IIRS', 'MMOR', 'IIU\0'].some((start) => head.startsWith(start)))
    return rawOf(findJpegs(file), asTiff(file))
  if (!head.startsWith('II*\0') && !head.startsWith('MM\0*')) return undefined
  const ifds = readIfds(file)
  if (ifds[0]?.has(TAG.dngVersion)) return rawOf(previewsOf(file, ifds), file, ifds)
  const isRaw =
    head.startsWith('CR\x02', 8) || ifds.some((ifd) => SENSOR_DATA.includes(one(ifd, TAG.photometric)))
  return isRaw ? rawOf(findJpegs(file), file, ifds) : undefined
}

function rawOf(previews: EmbeddedJpeg[], metadata: Buffer | undefined, ifds?: Ifd[]): Raw {
  const orientation = metadata && (ifds ?? readIfds(metadata))[0]?.get(TAG.orientation)?.[0]
  return { previews: previews.sort((a, b) => area(b) - area(a)), metadata, orientation }
}

const area = ({ width, height }: Size) => width * height
const one = (ifd: Ifd, tag: number): number => ifd.get(tag)?.[0] ?? 0

/** The JPEGs that the IFDs of a DNG call previews. The tiles of its raw data may be JPEGs too. */
function previewsOf(file: Buffer, ifds: Ifd[]): EmbeddedJpeg[] {
  return ifds
    .filter((ifd) => !SENSOR_DATA.includes(one(ifd, TAG.photometric)))
    .flatMap((ifd) => {
      const isJpeg = JPEG_COMPRESSIONS.includes(one(ifd, TAG.compression))
      const strips = ifd.get(TAG.stripOffsets) ?? []
      return [...(ifd.get(TAG.jpegOffset) ?? []), ...(isJpeg && strips.length === 1 ? strips : [])]
    })
    .flatMap((offset) => jpegAt(file, offset) ?? [])
}

function asTiff(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  copy.write(copy[0] === 0x49 ? 'II*\0' : 'MM\0*', 'latin1')
  return copy
}

/** In CR3, IFD0, the Exif IFD and the GPS IFD are TIFFs of their own. */
function canonMetadata(file: Buffer): Buffer | undefined {
  const moov = boxes(file).find(({ type }) => type === 'moov')
  const all = moov
    ? boxes(file, moov.start, moov.end)
        .filter(({ type }) => type === 'uuid')
        .flatMap(({ start, end }) => boxes(file, start, end))
    : []
  const content = (name: string) => {
    const box = all.find(({ type }) => type === name)
    return box && file.subarray(box.start, box.end)
  }
  const first = content('CMT1')
  return (
    first &&
    joinTiffs(first, [
      [TAG.exif, content('CMT2')],
      [TAG.gps, content('CMT4')],
    ])
  )
}
