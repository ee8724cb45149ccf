import { AppError } from '../errors.ts'
import type { MaterialType } from './materials.ts'

export interface FileFormat {
  type: MaterialType
  extension: 'mp4' | 'webm' | 'pdf'
  maxBytes: number
}

const MB = 1024 * 1024

const MP4: FileFormat = { type: 'video', extension: 'mp4', maxBytes: 500 * MB }
const PDF: FileFormat = { type: 'pdf', extension: 'pdf', maxBytes: 50 * MB }

/**
 * The accepted formats (docs/contracts/learning.md, "File formats"), by the type that the content shows. An `.mp4` may
 * have any brand whose pictures libav decodes, because cameras and phones write QuickTime and 3GPP under that name.
 */
const FORMATS: Record<string, FileFormat> = {
  'video/mp4': MP4,
  'video/x-m4v': MP4,
  'video/quicktime': MP4,
  'video/3gpp': MP4,
  'video/3gpp2': MP4,
  'video/webm': { type: 'video', extension: 'webm', maxBytes: 500 * MB },
  'application/pdf': PDF,
}

/** ISO 32000-1, annex H, implementation note 13: readers look for the header in so many bytes. */
const PDF_HEADER_WITHIN = 1024
const PDF_HEADER = '%PDF-'

/** As many of a file's first bytes as decide its type. */
export const SNIFF_BYTES = 4100

/**
 * Decided by content; names and headers can say anything.
 * @throws AppError UNSUPPORTED_FILE_TYPE
 */
export async function detectFormat(head: Uint8Array): Promise<FileFormat> {
  // Imported with the first upload: file-type costs every start 30 ms.
  const { fileTypeFromBuffer } = await import('file-type')
  const found = await fileTypeFromBuffer(head)
  // What stands before the header of a PDF may look like the beginning of another format.
  const format = (found && FORMATS[found.mime]) ?? (hasPdfHeader(head) ? PDF : undefined)
  if (!format) throw new AppError('UNSUPPORTED_FILE_TYPE')
  return format
}

const hasPdfHeader = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, PDF_HEADER_WITHIN)).includes(PDF_HEADER)

/** @throws AppError FILE_TOO_LARGE */
export function assertSize(format: FileFormat, bytes: number): void {
  if (bytes > format.maxBytes) {
    throw new AppError('FILE_TOO_LARGE', { params: { limit_mb: format.maxBytes / MB } })
  }
}
