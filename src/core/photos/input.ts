import { isTooDeep } from '../../util/storable.ts'
import { AppError, invalid } from '../errors.ts'
import type { Photo, PhotoStatus, PhotoVisibility } from './rows.ts'

/** A place that an owner types. */
export interface TypedPlace {
  name?: string | null | undefined
  latitude?: number | null | undefined
  longitude?: number | null | undefined
  country?: string | null | undefined
  city?: string | null | undefined
}

/** What can be said of a photo, when it is made and later. */
export interface PhotoInput {
  title?: string | undefined
  description?: string | null | undefined
  status?: PhotoStatus | undefined
  visibility?: PhotoVisibility | undefined
  sortOrder?: number | undefined
  /** Null for that of the file. */
  takenAt?: Date | null | undefined
  /** Null for that of the file, which only the owner and holders of `photo.*` see. */
  place?: TypedPlace | null | undefined
  /** Exactly these; the first one becomes primary unless the photo has a primary one among them. */
  categories?: number[] | undefined
  /** Exactly these, by name. */
  tags?: string[] | undefined
  metadata?: Record<string, unknown> | null | undefined
}

const MAX_METADATA = 16_384
const MAX_METADATA_DEPTH = 5

/**
 * The columns that an input changes.
 * @param fileTakenAt of the photo's file
 * @throws AppError VALIDATION_FAILED, HALF_A_PLACE
 */
export function columnsOf(input: PhotoInput, fileTakenAt: Date | null): Partial<Photo> {
  const { title, description, status, visibility, sortOrder, takenAt, place, metadata } = input
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description: description ?? '' }),
    ...(status !== undefined && { status }),
    ...(visibility !== undefined && { visibility }),
    ...(sortOrder !== undefined && { sortOrder }),
    ...(takenAt !== undefined && { takenAt: takenAt ?? fileTakenAt }),
    ...(place !== undefined && placeColumns(place ?? {})),
    ...(metadata !== undefined && { metadata: checked(metadata ?? {}) }),
  }
}

function placeColumns({ name, latitude = null, longitude = null, country, city }: TypedPlace) {
  if ((latitude === null) !== (longitude === null)) throw new AppError('HALF_A_PLACE')
  return { locationName: textOf(name), latitude, longitude, country: textOf(country), city: textOf(city) }
}

const textOf = (typed: string | null | undefined): string | null => typed?.trim() || null

function checked(metadata: Record<string, unknown>): Record<string, unknown> {
  if (isTooDeep(metadata, MAX_METADATA_DEPTH))
    throw invalid('metadata', 'depth', { limit: MAX_METADATA_DEPTH })
  if (JSON.stringify(metadata).length > MAX_METADATA)
    throw invalid('metadata', 'max_length', { limit: MAX_METADATA })
  return metadata
}
