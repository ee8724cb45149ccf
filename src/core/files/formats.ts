import { AppError } from '../errors.ts'

export interface FileFormat {
  extension: string
  maxBytes: number
}

/** The formats that one kind of upload accepts. */
export interface AcceptedFormats<F extends FileFormat> {
  /** By the media type that the content shows. */
  byType: Record<string, F>
  /** Recognizes a format by content that looks like another type, or like none. */
  recognize?(head: Uint8Array): F | undefined
  /** Makes the error for every other content; its text names the accepted formats. */
  unsupported(): AppError
}

export const MB = 1024 * 1024

/** How many of a file's first bytes decide its format. */
export const SNIFF_BYTES = 4100

/**
 * The format that the content shows. The file's name and headers do not count, because a client can write anything there.
 * @param head the first `SNIFF_BYTES` of the file, or the whole file when it is shorter
 * @throws the error of `unsupported`
 */
export async function detectFormat<F extends FileFormat>(
  accepted: AcceptedFormats<F>,
  head: Uint8Array,
): Promise<F> {
  // Imported with the first upload: file-type costs every start 30 ms.
  const { fileTypeFromBuffer } = await import('file-type')
  const found = await fileTypeFromBuffer(head)
  const format = (found && accepted.byType[found.mime]) ?? accepted.recognize?.(head)
  if (!format) throw accepted.unsupported()
  return format
}

/** @throws AppError FILE_TOO_LARGE */
export function assertSize({ maxBytes }: FileFormat, bytes: number): void {
  if (bytes > maxBytes) throw tooLarge(maxBytes)
}

/** The text names at most three digits, because the limit may be any number of bytes. */
export const tooLarge = (maxBytes: number): AppError =>
  new AppError('FILE_TOO_LARGE', { params: { limitMb: Number((maxBytes / MB).toPrecision(3)) } })
