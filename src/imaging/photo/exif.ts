/** What a file's metadata say about the photo: EXIF, and XMP and IPTC where EXIF says nothing. */
import { createRequire } from 'node:module'
import { type ExpandedTags, load } from 'exifreader'
import { readPlace } from './place.ts'
import type { PhotoExif, PhotoFacts } from './protocol.ts'
import { EXIF_TAGS, type ExifTag, Tags } from './tags.ts'
import { readTime } from './time.ts'

/** A longer packet holds pictures, such as a map of depths, and would take seconds. */
const MAX_XMP_LENGTH = 512 * 1024

/**
 * Nothing is known of a file without metadata that can be read.
 * @param files the first one counts, and the next where it says nothing
 */
export function readFacts(files: Uint8Array[]): PhotoFacts {
  const known: PhotoFacts = { exif: {}, place: {}, takenAt: null, takenOffset: null }
  for (const file of files) {
    const tags = new Tags(loaded(file))
    known.exif = { ...readExif(tags), ...known.exif }
    // Whole, because parts of two places would be a third one.
    if (Object.keys(known.place).length === 0) known.place = readPlace(tags)
    if (known.takenAt === null) Object.assign(known, readTime(tags))
  }
  return known
}

function loaded(bytes: Uint8Array): ExpandedTags {
  try {
    return load(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      expanded: true,
      domParser,
      includeTags: { exif: [...EXIF_TAGS], xmp: true, iptc: true },
    })
  } catch {
    return {}
  }
}

const require = createRequire(import.meta.url)

const domParser = {
  parseFromString(xml: string, type: string) {
    if (xml.length > MAX_XMP_LENGTH) throw new Error('the packet is too long')
    // Here, because loading it takes 25 ms and many photos have no XMP.
    const { DOMParser, onErrorStopParsing } = require('@xmldom/xmldom') as typeof import('@xmldom/xmldom')
    return new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, type)
  },
}

function readExif(tags: Tags): PhotoExif {
  const members: { [K in keyof PhotoExif]: PhotoExif[K] | undefined } = {
    camera: camera(tags.text('Make'), tags.text('Model')),
    lens: tags.text('LensModel') ?? tags.xmpText('Lens'),
    iso: ISO_TAGS.map((name) => iso(tags.integer(name))).find((value) => value !== undefined),
    aperture: shown(tags.number('FNumber'), 0.1, 1000, (value) => `f/${digits(value)}`),
    shutterSpeed: shown(tags.number('ExposureTime'), 1e-6, 1e6, shutterSpeed),
    focalLength: shown(tags.number('FocalLength'), 0.1, 100_000, (value) => `${digits(value)}mm`),
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** `Canon EOS R5` of Canon and Canon EOS R5; `SONY ILCE-7M3` of SONY and ILCE-7M3. */
function camera(make: string | undefined, model: string | undefined): string | undefined {
  if (make === undefined || model === undefined) return model ?? make
  const maker = make.split(/[ ,]/)[0]!.toLowerCase()
  return model.toLowerCase().startsWith(maker) ? model : `${make} ${model}`
}

/** Exif 2.3: where the value does not fit into the first field, one of the last three has it. XMP has the second one. */
const ISO_TAGS: ExifTag[] = [
  'ISOSpeedRatings',
  'PhotographicSensitivity',
  'RecommendedExposureIndex',
  'StandardOutputSensitivity',
  'ISOSpeed',
]

/** 65,535 means that the value does not fit into the field. */
const iso = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 1 && value < 10_000_000 && value !== 65_535 ? Math.round(value) : undefined

function shown(
  value: number | undefined,
  min: number,
  max: number,
  text: (value: number) => string,
): string | undefined {
  return value !== undefined && value >= min && value <= max ? text(value) : undefined
}

const digits = (value: number): string => String(Math.round(value * 10) / 10)

/** A fraction, unless its denominator would be no whole number: half a second is 1/2, and 0.6 s has no such form. */
function shutterSpeed(seconds: number): string {
  const denominator = 1 / seconds
  const isFraction = seconds < 0.25 || (seconds < 1 && Math.abs(denominator - Math.round(denominator)) < 0.05)
  return isFraction ? `1/${Math.round(denominator)}` : `${digits(seconds)}s`
}
