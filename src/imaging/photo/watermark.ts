/** Writes a text over a picture. */
import sharp, { type Sharp } from 'sharp'
import { CJK_FAMILY, CJK_FONT } from '../font-files.ts'
import type { Size } from '../protocol.ts'
import type { Watermark } from './protocol.ts'

/** The distance from the edge of the picture, as a share of its shorter side. */
const MARGIN = 0.02
/** The largest height of the text, as a share of the picture's. */
const MAX_HEIGHT = 0.25
/** Points. The text is drawn in this size first, and then brought to the size that the picture needs. */
const DRAWN_SIZE = 72

/** Grey values: 255 where the text is. */
interface Mask extends Size {
  data: Buffer
}

/** A watermark whose text is drawn, once for all renditions. */
export interface Mark extends Omit<Watermark, 'text'> {
  mask: Mask
}

export const drawMark = async ({ text, ...watermark }: Watermark): Promise<Mark> => ({
  ...watermark,
  mask: await drawn(text),
})

/** The picture with the text, which is white with a black shadow, so that it can be read on every ground. */
export async function withMark(picture: Sharp, mark: Mark): Promise<Sharp> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const mask = await fitted(mark.mask, { width, height }, mark.size)
  const layer = painted(mask, { width, height }, mark.opacity / 100)
  const overlay = { raw: { width: layer.width, height: layer.height, channels: 4 as const } }
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: width * height }).composite([
    { input: layer.data, ...overlay, ...placeOf(mark.position, layer, { width, height }) },
  ])
}

async function drawn(text: string): Promise<Mask> {
  const { data, info } = await sharp({
    text: {
      text: escaped(text),
      font: `${CJK_FAMILY} ${DRAWN_SIZE}`,
      fontfile: CJK_FONT,
      wrap: 'none',
    },
  })
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Pango reads markup. No markup can stand for a control character. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!)

/** @param share of the picture's width, in percent */
async function fitted(mask: Mask, picture: Size, share: number): Promise<Mask> {
  const scale = Math.min(
    (picture.width * share) / 100 / mask.width,
    (picture.height * MAX_HEIGHT) / mask.height,
  )
  const width = Math.max(1, Math.round(mask.width * scale))
  const height = Math.max(1, Math.round(mask.height * scale))
  const data = await sharp(mask.data, { raw: { width: mask.width, height: mask.height, channels: 1 } })
    .resize(width, height, { fit: 'fill' })
    .extractChannel(0)
    .raw()
    .toBuffer()
  return { data, width, height }
}

/** White text over its black shadow, as RGBA. */
function painted({ data: mask, ...text }: Mask, picture: Size, opacity: number): Mask {
  const room = Math.min(picture.width - text.width, picture.height - text.height)
  const offset = Math.min(room, Math.max(1, Math.round(text.height / 30)))
  const width = text.width + offset
  const height = text.height + offset
  const at = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < text.width && y < text.height ? mask[y * text.width + x]! / 255 : 0
  const data = Buffer.alloc(width * height * 4)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const white = at(x, y)
      const alpha = white + at(x - offset, y - offset) * (1 - white)
      data.fill(alpha === 0 ? 0 : (255 * white) / alpha, to, to + 3)
      data[to + 3] = Math.round(255 * alpha * opacity)
    }
  }
  return { data, width, height }
}

function placeOf(position: Watermark['position'], layer: Size, picture: Size): { left: number; top: number } {
  const margin = Math.round(Math.min(picture.width, picture.height) * MARGIN)
  const right = picture.width - layer.width
  const bottom = picture.height - layer.height
  const isLeft = position.endsWith('left')
  const isTop = position.startsWith('top')
  const place =
    position === 'center'
      ? { left: right / 2, top: bottom / 2 }
      : { left: isLeft ? margin : right - margin, top: isTop ? margin : bottom - margin }
  return { left: Math.max(0, Math.floor(place.left)), top: Math.max(0, Math.floor(place.top)) }
}
