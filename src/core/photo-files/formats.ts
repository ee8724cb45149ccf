import { AppError } from '../errors.ts'
import type { AcceptedFormats, FileFormat } from '../files/formats.ts'
import { PHOTO_TYPES, type PhotoType } from '../system/site-definitions.ts'
import { type RecognizedPhoto, recognizePhoto } from './recognize.ts'

export interface PhotoFormat extends FileFormat {
  mimeType: string
}

/** By extension: docs/contracts/portfolio.md, "Uploads". */
const MIME_TYPES: Record<RecognizedPhoto | 'jpg' | 'webp' | 'raf', string> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  tiff: 'image/tiff',
  heic: 'image/heic',
  heif: 'image/heif',
  avif: 'image/avif',
  dng: 'image/x-adobe-dng',
  cr2: 'image/x-canon-cr2',
  cr3: 'image/x-canon-cr3',
  nef: 'image/x-nikon-nef',
  arw: 'image/x-sony-arw',
  raf: 'image/x-fujifilm-raf',
  orf: 'image/x-olympus-orf',
  rw2: 'image/x-panasonic-rw2',
}

/** The type that stands for a media type in the settings of the site; undefined when no accepted photo has it. */
function siteTypeOf(mimeType: string): PhotoType | undefined {
  if (mimeType === 'image/jpg') return 'image/jpeg'
  if (mimeType === 'image/raw' || RAW_TYPES.includes(mimeType)) return 'image/raw'
  return PHOTO_TYPES.find((type) => type === mimeType)
}

const RAW_TYPES = Object.values(MIME_TYPES).filter((type) => type.startsWith('image/x-'))

/** @throws AppError TYPE_NOT_ALLOWED when the site takes no files of this type */
export function assertAllowed(mimeType: string, allowed: readonly PhotoType[]): void {
  const type = siteTypeOf(mimeType)
  if (type && !allowed.includes(type))
    throw new AppError('TYPE_NOT_ALLOWED', { params: { type, allowed: allowed.join(', ') } })
}

/** @param maxBytes of a file of any format */
export function photoFormats(maxBytes: number): AcceptedFormats<PhotoFormat> {
  const format = (extension: keyof typeof MIME_TYPES): PhotoFormat => ({
    extension,
    mimeType: MIME_TYPES[extension],
    maxBytes,
  })
  return {
    byType: {
      'image/jpeg': format('jpg'),
      'image/webp': format('webp'),
      'image/x-fujifilm-raf': format('raf'),
    },
    recognize(head) {
      const found = recognizePhoto(head)
      return found && format(found)
    },
    unsupported: () => new AppError('UNSUPPORTED_PHOTO'),
  }
}
