/** Who sees which renditions of a file: docs/contracts/portfolio.md, "Watermark". */
import { sha256 } from '../../util/secrets.ts'
import type { Context } from '../context.ts'
import type { SiteSettings } from '../system/site-settings.ts'
import type { PhotoFile, Rendition } from './rows.ts'

type Watermark = NonNullable<Parameters<Context['imaging']['photo']>[0]['watermark']>

export interface SiteWatermark extends Watermark {
  /** Two watermarks that look the same have the same id. */
  id: string
}

/** The watermark that visitors see on photos now; undefined while it is off. */
export function watermarkOf({ general, image }: SiteSettings): SiteWatermark | undefined {
  if (!image.watermarkEnabled) return undefined
  const watermark: Watermark = {
    text: image.watermarkText || general.siteTitle,
    position: image.watermarkPosition,
    opacity: image.watermarkOpacity,
    size: image.watermarkSize,
  }
  return { ...watermark, id: sha256(JSON.stringify(watermark)).slice(0, 12) }
}

type Renditions = Pick<PhotoFile, 'renditions'>

export const cleanOf = ({ renditions }: Renditions): Rendition[] =>
  renditions.filter(({ watermark }) => watermark === undefined)

/** Those with a watermark, which may be an earlier one until the file has been processed with the new one. */
export const markedOf = ({ renditions }: Renditions): Rendition[] =>
  renditions.filter(({ watermark }) => watermark !== undefined)

/** What everybody sees of a public photo. While a rendition has no watermark yet, visitors see the placeholder in its place. */
export const renditionsForAll = (file: Renditions, hasWatermark: boolean): Rendition[] =>
  hasWatermark ? markedOf(file) : cleanOf(file)

/**
 * The renditions that have copies at public keys. As long as a file has renditions with a watermark, it is those, also after the
 * watermark was switched off: so the file's row alone says which copies there are.
 */
export function renditionsToCopy(file: Renditions, hasWatermark: boolean): Rendition[] {
  const marked = markedOf(file)
  return marked.length > 0 || hasWatermark ? marked : cleanOf(file)
}

/** Whether the file has what the site's watermark asks for. */
export function isUpToDate(file: Renditions, watermark: Pick<SiteWatermark, 'id'> | undefined): boolean {
  const marked = markedOf(file)
  if (!watermark) return marked.length === 0
  return cleanOf(file).every(({ name }) =>
    marked.some((rendition) => rendition.name === name && rendition.watermark === watermark.id),
  )
}
