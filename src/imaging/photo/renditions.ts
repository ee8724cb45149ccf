/** Makes the renditions of a photo. The file is decoded once, to the size of the largest rendition. */
import sharp, { type SharpOptions } from 'sharp'
import { rgbaToThumbHash } from 'thumbhash'
import { fit } from '../picture.ts'
import type { Size } from '../protocol.ts'
import type { RenditionSpec } from './protocol.ts'
import type { Picture } from './source.ts'
import { type Mark, withMark } from './watermark.ts'

/** The longer side of the picture that the placeholder is computed of. The format allows 100. */
const HASH_SIDE = 100

export interface Base extends Size {
  data: Buffer
  channels: 1 | 2 | 3 | 4
}

/** libjpeg's warnings about files that every viewer shows whole. Its other warnings mean that a part of the picture is lost. */
const HARMLESS = /Invalid SOS parameters|extraneous bytes|Unknown Adobe color|Inconsistent progression/i

/** The pixels in sRGB, large enough for each of these boxes. */
export async function decodeBase(picture: Picture, specs: RenditionSpec[]): Promise<Base> {
  const sizes = specs.map(({ box }) => fit(picture, box, 1))
  const box = {
    width: Math.max(HASH_SIDE, ...sizes.map(({ width }) => width)),
    height: Math.max(HASH_SIDE, ...sizes.map(({ height }) => height)),
  }
  const decode = async (failOn: SharpOptions['failOn']): Promise<Base> => {
    const { data, info } = await picture
      .decode(box, failOn)
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels as Base['channels'] }
  }
  if (picture.format !== 'jpeg') return await decode('error')
  return await decode('warning').catch((error) => {
    if (!HARMLESS.test(String(error))) throw error
    return decode('error')
  })
}

/** The base in a smaller size, so that several small renditions are not all made of the large one. */
export async function shrunk(base: Base, specs: RenditionSpec[]): Promise<Base> {
  const side = Math.max(HASH_SIDE, ...specs.flatMap(({ box }) => [box.width, box.height]))
  if (side >= Math.max(base.width, base.height)) return base
  const { data, info } = await opened(base)
    .resize(side, side, { fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { ...base, data, width: info.width, height: info.height }
}

/** A rendition without any metadata. */
export async function encode(
  base: Base,
  { box, format, quality, marked }: RenditionSpec,
  mark?: Mark,
): Promise<Size & { data: Buffer }> {
  const resized = opened(base).resize(box.width, box.height, { fit: 'inside', withoutEnlargement: true })
  const picture = marked && mark ? await withMark(resized, mark) : resized
  const encoded =
    format === 'jpeg' ? picture.flatten({ background: '#fff' }).jpeg({ quality }) : picture.webp({ quality })
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** A thumbhash in base64. */
export async function placeholderOf(base: Base): Promise<string> {
  const { data, info } = await opened(base)
    .resize(HASH_SIDE, HASH_SIDE, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64')
}

const opened = ({ data, width, height, channels }: Base) =>
  sharp(data, { raw: { width, height, channels }, limitInputPixels: width * height })
