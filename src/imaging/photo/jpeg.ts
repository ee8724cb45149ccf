/** Finds JPEGs within other files. */
import type { Size } from '../protocol.ts'

export interface EmbeddedJpeg extends Size {
  /** Where it begins. */
  offset: number
}

const START = Buffer.from([0xff, 0xd8, 0xff])
/** Baseline, extended and progressive. Raw data are in other kinds, which no viewer decodes. */
const FRAMES = new Set([0xc0, 0xc1, 0xc2])
const START_OF_SCAN = 0xda
/** May stand before a marker, any number of times. */
const FILL = 0xff
const MAX_SEGMENTS = 500
/** By chance, three bytes occur once in 16 MB. */
const MAX_STARTS = 10_000

/** The picture size of the JPEG at `offset`; undefined when there is none that a viewer decodes. */
export function jpegAt(file: Buffer, offset: number): EmbeddedJpeg | undefined {
  if (file.subarray(offset, offset + 3).compare(START) !== 0) return undefined
  let size: Size | undefined
  let at = offset + 2
  for (let count = 0; count < MAX_SEGMENTS && at + 9 < file.length && file[at] === 0xff; count++) {
    const marker = file[at + 1]!
    if (marker === FILL) {
      at++
      continue
    }
    if (marker === START_OF_SCAN) return size && { offset, ...size }
    if (isFrame(marker)) {
      if (!FRAMES.has(marker)) return undefined
      size = { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) }
    }
    at += 2 + file.readUInt16BE(at + 2)
  }
  return undefined
}

/** The markers SOF0 to SOF15, among which are those of tables: DHT, JPG and DAC. */
const isFrame = (marker: number) => (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker)

/** Every JPEG in a file, also those within another one. */
export function findJpegs(file: Buffer): EmbeddedJpeg[] {
  const found: EmbeddedJpeg[] = []
  let offset = file.indexOf(START)
  for (let count = 0; offset >= 0 && count < MAX_STARTS; count++) {
    const jpeg = jpegAt(file, offset)
    if (jpeg) found.push(jpeg)
    offset = file.indexOf(START, offset + 3)
  }
  return found
}
