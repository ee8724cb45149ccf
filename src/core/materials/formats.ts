import { fileTypeFromBuffer } from 'file-type'
import { AppError } from '../errors.ts'
import type { MaterialType } from './materials.ts'

export interface FileFormat {
  type: MaterialType
  extension: 'mp4' | 'webm' | 'pdf'
  maxBytes: number
}

const MB = 1024 * 1024

/** What learning.md accepts, by the type that the content itself shows. */
const FORMATS: Record<string, FileFormat> = {
  'video/mp4': { type: 'video', extension: 'mp4', maxBytes: 500 * MB },
  'video/x-m4v': { type: 'video', extension: 'mp4', maxBytes: 500 * MB },
  'video/webm': { type: 'video', extension: 'webm', maxBytes: 500 * MB },
  'application/pdf': { type: 'pdf', extension: 'pdf', maxBytes: 50 * MB },
}

/** As many of a file's first bytes as decide its type. */
export const SNIFF_BYTES = 4100

/**
 * Decided by content; names and headers can say anything.
 * @throws AppError UNSUPPORTED_FILE_TYPE
 */
export async function detectFormat(head: Uint8Array): Promise<FileFormat> {
  const found = await fileTypeFromBuffer(head)
  const format = found && FORMATS[found.mime]
  if (!format) throw new AppError('UNSUPPORTED_FILE_TYPE')
  return format
}

/** @throws AppError FILE_TOO_LARGE */
export function assertSize(format: FileFormat, bytes: number): void {
  if (bytes > format.maxBytes) {
    throw new AppError('FILE_TOO_LARGE', { params: { limit_mb: format.maxBytes / MB } })
  }
}
