import { AppError } from '../errors.ts'
import { type AcceptedFormats, type FileFormat, MB } from '../files/formats.ts'
import type { Material } from './rows.ts'

export interface MaterialFormat extends FileFormat {
  type: Material['type']
  extension: Material['fileFormat']
}

const MP4: MaterialFormat = { type: 'video', extension: 'mp4', maxBytes: 500 * MB }
const WEBM: MaterialFormat = { type: 'video', extension: 'webm', maxBytes: 500 * MB }
const PDF: MaterialFormat = { type: 'pdf', extension: 'pdf', maxBytes: 50 * MB }

/** ISO 32000-1, annex H, implementation note 13: readers search for the header in the first 1,024 bytes. */
const PDF_HEADER_WITHIN = 1024
const PDF_HEADER = '%PDF-'

/**
 * docs/contracts/learning.md, "File formats". An `.mp4` may have any brand whose pictures libav decodes, because cameras
 * and phones write QuickTime and 3GPP under that name.
 */
export const MATERIAL_FORMATS: AcceptedFormats<MaterialFormat> = {
  byType: {
    'video/mp4': MP4,
    'video/x-m4v': MP4,
    'video/quicktime': MP4,
    'video/3gpp': MP4,
    'video/3gpp2': MP4,
    'video/webm': WEBM,
    'application/pdf': PDF,
  },
  // The bytes before the header of a PDF may look like the beginning of another format.
  recognize: (head) => (hasPdfHeader(head) ? PDF : undefined),
  unsupported: () => new AppError('UNSUPPORTED_FILE_TYPE'),
}

const hasPdfHeader = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, PDF_HEADER_WITHIN)).includes(PDF_HEADER)
