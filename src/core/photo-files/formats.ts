import { AppError } from '../errors.ts'
import type { AcceptedFormats, FileFormat } from '../files/formats.ts'
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
