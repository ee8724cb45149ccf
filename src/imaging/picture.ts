/** What the child process does with decoded pixels: sizes, orientation, JPEG. */
import sharp from 'sharp'
import type { Size } from './protocol.ts'

const QUALITY = 80
/** A picture whose channels have a smaller standard deviation (0 to 127) shows nothing: black, white, the start of a fade. */
const BLANK_DEVIATION = 6

// A process decodes one file, so more threads would only map more memory.
sharp.concurrency(1)
sharp.cache(false)

export interface Pixels extends Size {
  data: Uint8Array
  channels: 3 | 4
}

/** The largest size of the same shape that fits into `box`, but at most `scale` times the given size. */
export function fit({ width, height }: Size, box: Size, scale = Number.POSITIVE_INFINITY): Size {
  const factor = Math.min(box.width / width, box.height / height, scale)
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  }
}

/** How to show a picture: rotate it first, then mirror it. */
export interface Orientation {
  /** Clockwise, a multiple of 90. */
  degrees: number
  /** Whether left and right change places. */
  mirrored: boolean
}

export async function toJpeg(
  pixels: Pixels,
  { degrees, mirrored }: Orientation = { degrees: 0, mirrored: false },
): Promise<{ data: Buffer; width: number; height: number }> {
  // Two steps, because sharp always mirrors before it rotates, whatever the order of the calls is.
  const turned = await open(pixels).rotate(degrees).raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = turned.info
  const data = await open({ data: turned.data, width, height, channels: channels as 3 })
    .flop(mirrored)
    .jpeg({ quality: QUALITY, mozjpeg: true })
    .toBuffer()
  return { data, width, height }
}

export async function isBlank(pixels: Pixels): Promise<boolean> {
  const { channels } = await open(pixels).stats()
  return channels.every(({ stdev }) => stdev < BLANK_DEVIATION)
}

const open = ({ data, width, height, channels }: Pixels) =>
  sharp(data, { raw: { width, height, channels }, limitInputPixels: width * height }).removeAlpha()
