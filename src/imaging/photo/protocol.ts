/** What the server and its child process exchange about a photo. This file imports only types. */
import type { Size } from '../protocol.ts'

/** The steps of a photo, in their order. */
export const PHOTO_STEPS = ['exif_extraction', 'generating_thumbnails', 'optimization'] as const
export type PhotoStep = (typeof PHOTO_STEPS)[number]

export const RENDITION_NAMES = ['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp'] as const
export type RenditionName = (typeof RENDITION_NAMES)[number]

/** One picture that is made of a photo. It is never larger than the photo. */
export interface RenditionSpec {
  name: RenditionName
  step: 'generating_thumbnails' | 'optimization'
  format: 'jpeg' | 'webp'
  /** It is made to fit into it. */
  box: Size
  /** 1 to 100. */
  quality: number
  /** It has the watermark of the request. */
  marked?: true
}

/** A text that is written over a picture. */
export interface Watermark {
  /** In one line. */
  text: string
  position: 'top_left' | 'top_right' | 'center' | 'bottom_left' | 'bottom_right'
  /** Percent. */
  opacity: number
  /** The width of the text in percent of the picture's, as far as its height leaves room. */
  size: number
}

export interface PhotoRequest {
  /** An absolute path. */
  input: string
  /** An absolute path of a directory. */
  output: string
  renditions: RenditionSpec[]
  /** Of the renditions that are marked. */
  watermark?: Watermark
}

/** What the file says about the camera. */
export interface PhotoExif {
  /** The make and the model. */
  camera?: string
  lens?: string
  iso?: number
  /** `f/2.8` */
  aperture?: string
  /** `1/125`, or `2s` */
  shutterSpeed?: string
  /** `50mm` */
  focalLength?: string
}

/** Where the photo was taken, as the file says. */
export interface PhotoPlace {
  /** Degrees; there is a longitude too. */
  latitude?: number
  longitude?: number
  /** Metres. */
  altitude?: number
  name?: string
  city?: string
  country?: string
}

export interface PhotoFacts {
  exif: PhotoExif
  place: PhotoPlace
  /** RFC 3339 in UTC. A time without an offset is read as UTC. */
  takenAt: string | null
  /** Minutes east of UTC; null when the file does not say. */
  takenOffset: number | null
}

/** The last line of the child's standard output, unless it failed. Before it, the child writes `{"step":…}` at each step. */
export interface PhotoAnswer extends PhotoFacts, Size {
  /** A thumbhash in base64. */
  placeholder: string
  renditions: (Size & Pick<RenditionSpec, 'name' | 'marked'>)[]
}

/** The name of a rendition's file. */
export const renditionFile = ({
  name,
  format,
  marked,
}: Omit<RenditionSpec, 'step' | 'box' | 'quality'>): string =>
  `${name}${marked ? '_marked' : ''}.${format === 'jpeg' ? 'jpg' : 'webp'}`
