/** Makes the renditions of a photo. The file is decoded once, to the size of the largest rendition. */
import { join } from 'node:path'
import sharp from 'sharp'
import { rgbaToThumbHash } from 'thumbhash'
import { fit } from '../picture.ts'
import type { Size } from '../protocol.ts'
import { type RenditionName, type RenditionSpec, renditionFile } from './protocol.ts'
import type { Source } from './source.ts'

/** The longer side of the picture that the placeholder is computed of. The format allows 100. */
const HASH_SIDE = 100

export interface Base extends Size {
  data: Buffer
  channels: 1 | 2 | 3 | 4
}

/** The pixels in sRGB, large enough for each of these boxes. */
export async function decodeBase(source: Source, specs: RenditionSpec[]): Promise<Base> {
  const sizes = specs.map(({ box }) => fit(source, box, 1))
  const width = Math.max(HASH_SIDE, ...sizes.map((size) => size.width))
  const height = Math.max(HASH_SIDE, ...sizes.map((size) => size.height))
  const { data, info } = await source
    .open()
    .resize(width, height, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: info.channels as Base['channels'] }
}

/** Writes a rendition without any metadata. */
export async function writeRendition(
  base: Base,
  spec: RenditionSpec,
  directory: string,
): Promise<Size & { name: RenditionName }> {
  const picture = opened(base).resize(spec.box.width, spec.box.height, {
    fit: 'inside',
    withoutEnlargement: true,
  })
  const encoded =
    spec.format === 'jpeg'
      ? picture.flatten({ background: '#fff' }).jpeg({ quality: spec.quality })
      : picture.webp({ quality: spec.quality })
  const { width, height } = await encoded.toFile(join(directory, renditionFile(spec)))
  return { name: spec.name, width, height }
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
