/** What the server and its child process exchange. This file imports nothing, so that neither side loads the other's libraries. */

/** The files that previews are made of. */
export type SourceKind = 'video' | 'pdf'

export interface Size {
  width: number
  height: number
}

/**
 * The file causes UNREADABLE, TOO_MANY_PIXELS, NO_PREVIEW (a RAW file without a preview that can be decoded), TIMEOUT
 * (decoding takes more processor time than the limit) and MEMORY (more memory than the limit): another try would fail in
 * the same way. The machine may cause BUSY (it had no time or memory for the child process) and CRASHED (a decoder died or
 * is missing).
 */
export const FAILURES = [
  'UNREADABLE',
  'TOO_MANY_PIXELS',
  'NO_PREVIEW',
  'TIMEOUT',
  'MEMORY',
  'BUSY',
  'CRASHED',
] as const
export type ImagingFailure = (typeof FAILURES)[number]

/** What the runtime and the libraries say when there is no memory. */
export const OUT_OF_MEMORY =
  /(out of|insufficient) memory|memory allocation|bad_alloc|(cannot|failed to) allocate/i

export class ImagingError extends Error {
  override name = 'ImagingError'
  constructor(
    readonly code: ImagingFailure,
    message: string,
  ) {
    super(message)
  }
}

export interface WorkerRequest {
  /** An absolute path. */
  input: string
  kind: SourceKind
  /** The preview is made to fit into it. Without it no preview is made, and the answer has only the facts. */
  box?: Size
  memoryMiB: number
}

/** What a file says of itself, as far as it does. */
export interface Facts {
  /** Only for a video whose duration can be told. */
  durationSeconds?: number
  /** Only for a PDF. */
  pages?: number
}

/** What is known about a preview, and about the file that it was made of. */
export interface Preview extends Size, Facts {}
