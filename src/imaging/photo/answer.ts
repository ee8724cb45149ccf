/** Validates what the child says. It has read an untrusted file, so its answer is untrusted too. */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ImagingError, type Size } from '../protocol.ts'
import {
  type PhotoAnswer,
  type PhotoExif,
  type PhotoPlace,
  type RenditionName,
  type RenditionSpec,
  renditionFile,
} from './protocol.ts'
import { cleanText } from './text.ts'

export interface WrittenRendition extends Size {
  name: RenditionName
  /** It has the watermark. */
  marked?: true
  /** The absolute path of the file. */
  path: string
  /** Bytes. */
  size: number
}

const MAX_SIDE = 100_000
/** RFC 3339 knows no year beyond 9999, and a time zone can move a time there. No photo is of a year before 1000. */
const FIRST_TIME = Date.UTC(1000, 0)
const LAST_TIME = Date.UTC(10_000, 0) - 1
const BASE64 = /^[A-Za-z0-9+/]{4,64}={0,2}$/

export function checkedFacts(answer: Partial<PhotoAnswer>) {
  const { width, height, placeholder, takenAt, takenOffset } = answer
  if (!isSide(width) || !isSide(height) || !BASE64.test(String(placeholder))) throw misfit()
  const time = typeof takenAt === 'string' ? new Date(takenAt) : undefined
  const isTime = time !== undefined && isWithin(time.getTime(), FIRST_TIME, LAST_TIME)
  return {
    width,
    height,
    placeholder: String(placeholder),
    exif: checkedExif(answer.exif ?? {}),
    place: checkedPlace(answer.place ?? {}),
    takenAt: isTime ? time.toISOString() : null,
    takenOffset: isTime && isWithin(takenOffset, -840, 840) ? Math.round(takenOffset) : null,
  }
}

const checkedExif = ({ camera, lens, iso, aperture, shutterSpeed, focalLength }: PhotoExif): PhotoExif =>
  known({
    camera: cleanText(camera),
    lens: cleanText(lens),
    iso: isWithin(iso, 1, 100_000_000) ? Math.round(iso) : undefined,
    aperture: cleanText(aperture),
    shutterSpeed: cleanText(shutterSpeed),
    focalLength: cleanText(focalLength),
  })

function checkedPlace({ latitude, longitude, altitude, name, city, country }: PhotoPlace): PhotoPlace {
  const isPlace = isWithin(latitude, -90, 90) && isWithin(longitude, -180, 180)
  return known({
    latitude: isPlace ? latitude : undefined,
    longitude: isPlace ? longitude : undefined,
    altitude: isPlace && isWithin(altitude, -20_000, 1_000_000) ? altitude : undefined,
    name: cleanText(name),
    city: cleanText(city),
    country: cleanText(country),
  })
}

/** The files that were asked for, as they are in the directory. */
export async function checkedRenditions(
  answer: Partial<PhotoAnswer>,
  specs: RenditionSpec[],
  directory: string,
): Promise<WrittenRendition[]> {
  const said = Array.isArray(answer.renditions) ? answer.renditions : []
  return await Promise.all(
    specs.map(async (spec) => {
      const one = said.find((other) => other?.name === spec.name && !other.marked === !spec.marked)
      if (!one || !isSide(one.width) || !isSide(one.height)) throw misfit()
      const path = join(directory, renditionFile(spec))
      return {
        name: spec.name,
        ...(spec.marked && { marked: true }),
        path,
        width: one.width,
        height: one.height,
        size: await sizeOf(path, spec.format),
      }
    }),
  )
}

/** The size of a file of this format. A link is not followed. */
async function sizeOf(path: string, format: RenditionSpec['format']): Promise<number> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => {
      throw misfit()
    },
  )
  try {
    const stat = await file.stat()
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0)
    if (!stat.isFile() || !IS[format](buffer)) throw misfit()
    return stat.size
  } finally {
    await file.close()
  }
}

const IS: Record<RenditionSpec['format'], (bytes: Buffer) => boolean> = {
  jpeg: (bytes) => bytes.readUIntBE(0, 3) === 0xffd8ff,
  webp: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
}

const isWithin = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && value >= min && value <= max
const isSide = (value: unknown): value is number => Number.isInteger(value) && isWithin(value, 1, MAX_SIDE)

/** The members that have a value. */
function known<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}

const misfit = () => new ImagingError('CRASHED', 'the decoder answered with something else than a photo')
