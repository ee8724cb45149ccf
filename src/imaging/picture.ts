/** Pixels in, JPEG out. */
import sharp from 'sharp'

const BOX = { width: 640, height: 360 }
const QUALITY = 80
/** Standard deviation (0 to 127) under which a picture shows nothing: black, white, the first moment of a fade. */
const BLANK_DEVIATION = 6

// One file per process: more threads would only map more memory.
sharp.concurrency(1)
sharp.cache(false)

export interface Size {
  width: number
  height: number
}

export interface Pixels extends Size {
  data: Uint8Array
  channels: 3 | 4
}

/** The largest size of the same shape in our box, but at most `scale` times the size given. */
export function fit({ width, height }: Size, scale = Number.POSITIVE_INFINITY): Size {
  const factor = Math.min(BOX.width / width, BOX.height / height, scale)
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  }
}

/** How a picture is to be shown: turned first, then mirrored. */
export interface Orientation {
  /** Clockwise, a multiple of 90. */
  degrees: number
  /** Left and right change places. */
  mirrored: boolean
}

export async function toJpeg(
  pixels: Pixels,
  { degrees, mirrored }: Orientation = { degrees: 0, mirrored: false },
): Promise<{ data: Buffer; width: number; height: number }> {
  // Two steps, because sharp mirrors before it turns, in whatever order it is asked.
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
  sharp(data, { raw: { width, height, channels }, limitInputPixels: BOX.width * BOX.height }).removeAlpha()
