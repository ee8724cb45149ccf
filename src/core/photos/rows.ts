import { photos } from '../../db/schema/index.ts'

export type Photo = typeof photos.$inferSelect
export type PhotoStatus = Photo['status']
export type PhotoVisibility = Photo['visibility']
export const PHOTO_STATUSES = photos.status.enumValues
export const PHOTO_VISIBILITIES = photos.visibility.enumValues
