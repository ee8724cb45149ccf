/** Where a photo was taken. */
import type { PhotoPlace } from './protocol.ts'
import type { Tags } from './tags.ts'

export function readPlace(tags: Tags): PhotoPlace {
  const members: { [K in keyof PhotoPlace]: PhotoPlace[K] | undefined } = {
    ...(coordinates(exifDegrees(tags, 'Latitude'), exifDegrees(tags, 'Longitude'), altitude(tags)) ??
      coordinates(xmpDegrees(tags, 'Latitude'), xmpDegrees(tags, 'Longitude'), altitude(tags))),
    name: tags.xmpText('Location') ?? tags.iptcText('Sub-location'),
    city: tags.xmpText('City') ?? tags.iptcText('City'),
    country: tags.xmpText('Country') ?? tags.iptcText('Country/Primary Location Name'),
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** Undefined unless both exist on Earth. Zero and zero is what a receiver without a position writes. */
function coordinates(
  latitude: number,
  longitude: number,
  height: number | undefined,
): PhotoPlace | undefined {
  const exist = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
  if (!exist || (latitude === 0 && longitude === 0)) return undefined
  return { latitude, longitude, ...(height !== undefined && { altitude: height }) }
}

/** NaN when it is incomplete, or no angle. */
function exifDegrees(tags: Tags, name: 'Latitude' | 'Longitude'): number {
  const sign = signOf(name, tags.exifText(`GPS${name}Ref`))
  const [degrees = Number.NaN, minutes = 0, seconds = 0] = tags.numbers(`GPS${name}`)
  return sign * angle(degrees, minutes, seconds)
}

/** `59,54.5N` or `59,54,30N` */
function xmpDegrees(tags: Tags, name: 'Latitude' | 'Longitude'): number {
  const match = /^(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])$/.exec(
    tags.xmpText(`GPS${name}`) ?? '',
  )
  if (!match) return Number.NaN
  return signOf(name, match[4]) * angle(Number(match[1]), Number(match[2]), Number(match[3] ?? 0))
}

function angle(degrees: number, minutes: number, seconds: number): number {
  const isAngle = degrees >= 0 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds <= 60
  // A ten-millionth of a degree is a centimetre.
  return isAngle ? Math.round((degrees + minutes / 60 + seconds / 3600) * 1e7) / 1e7 : Number.NaN
}

/** The letters of the positive and of the negative half. */
const HALVES = { Latitude: 'NS', Longitude: 'EW' }
const signOf = (name: keyof typeof HALVES, reference = ''): number =>
  [1, -1][reference === '' ? -1 : HALVES[name].indexOf(reference)] ?? Number.NaN

const BELOW_SEA_LEVEL = 1

function altitude(tags: Tags): number | undefined {
  const metres = tags.number('GPSAltitude')
  if (metres === undefined || Math.abs(metres) > 100_000) return undefined
  return tags.number('GPSAltitudeRef') === BELOW_SEA_LEVEL ? -metres : metres
}
