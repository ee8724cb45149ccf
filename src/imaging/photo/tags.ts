/** Reads single values out of what exifreader found. */
import type { ExpandedTags } from 'exifreader'
import { cleanText } from './text.ts'

/** The tags of EXIF that are read. No other is decoded: the layers of a picture would take seconds and hundreds of megabytes. */
export const EXIF_TAGS = [
  'Make',
  'Model',
  'LensModel',
  'ISOSpeedRatings',
  'PhotographicSensitivity',
  'RecommendedExposureIndex',
  'StandardOutputSensitivity',
  'ISOSpeed',
  'FNumber',
  'ExposureTime',
  'FocalLength',
  'DateTimeOriginal',
  'OffsetTimeOriginal',
  'DateTimeDigitized',
  'OffsetTimeDigitized',
  'GPSLatitude',
  'GPSLatitudeRef',
  'GPSLongitude',
  'GPSLongitudeRef',
  'GPSAltitude',
  'GPSAltitudeRef',
] as const
export type ExifTag = (typeof EXIF_TAGS)[number]

type Group = Record<string, { value?: unknown; description?: unknown } | undefined>

export class Tags {
  private readonly exif: Group
  private readonly xmp: Group
  private readonly iptc: Group

  constructor(tags: ExpandedTags) {
    this.exif = (tags.exif ?? {}) as Group
    this.xmp = (tags.xmp ?? {}) as unknown as Group
    this.iptc = (tags.iptc ?? {}) as Group
  }

  /** Of EXIF, or else of XMP. */
  text(name: ExifTag): string | undefined {
    return this.exifText(name) ?? this.xmpText(name)
  }

  exifText(name: ExifTag): string | undefined {
    return cleanText(first(this.exif[name]?.value))
  }

  xmpText(name: string): string | undefined {
    const value = first(this.xmp[name]?.value)
    return cleanText(isTag(value) ? value.value : value)
  }

  iptcText(name: string): string | undefined {
    return cleanText(this.iptc[name]?.description)
  }

  /** Of EXIF, or else of XMP. */
  number(name: ExifTag): number | undefined {
    return numberOf(this.exif[name]?.value) ?? fraction(this.xmpText(name))
  }

  /** A whole number of EXIF, the first one if there are several, or else of XMP. */
  integer(name: ExifTag): number | undefined {
    return numberOf(first(this.exif[name]?.value)) ?? fraction(this.xmpText(name))
  }

  /** The numbers of an EXIF value, of rationals the quotients. */
  numbers(name: ExifTag): number[] {
    const value = this.exif[name]?.value
    if (!Array.isArray(value)) return []
    // A single rational is not in an array of its own.
    const all = Array.isArray(value[0]) ? value : [value]
    return all.map((one) => numberOf(one) ?? Number.NaN)
  }
}

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value)
const isTag = (value: unknown): value is { value: unknown } => value instanceof Object && 'value' in value

/** A number, a quotient of two, or the first of several. */
function numberOf(value: unknown): number | undefined {
  const number = Array.isArray(value) && value.length === 2 ? quotient(value[0], value[1]) : first(value)
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

const quotient = (over: unknown, under: unknown): number => Number(over) / Number(under)

/** `28/10` or `2.8` */
function fraction(text: string | undefined): number | undefined {
  const [, over, under = '1'] = /^(-?\d{1,12}(?:\.\d{1,12})?)(?:\/(\d{1,12}))?$/.exec(text ?? '') ?? []
  return over === undefined ? undefined : numberOf(quotient(over, under))
}
