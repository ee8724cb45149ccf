/** What the server and its child process say to each other. Neither side loads the other's libraries through this. */

export type ThumbnailKind = 'video' | 'pdf'

/**
 * The file is to blame for UNREADABLE, TIMEOUT (it takes more of the processor than a file may) and MEMORY (more than
 * the limit); another try would end alike. It may not be for BUSY (the machine had no time or memory for it) and CRASHED
 * (a decoder died, or is not there).
 */
export const FAILURES = ['UNREADABLE', 'TIMEOUT', 'MEMORY', 'BUSY', 'CRASHED'] as const
export type ThumbnailFailure = (typeof FAILURES)[number]

export class ThumbnailError extends Error {
  override name = 'ThumbnailError'
  constructor(
    readonly code: ThumbnailFailure,
    message: string,
  ) {
    super(message)
  }
}

export interface WorkerRequest {
  /** Absolute. */
  input: string
  kind: ThumbnailKind
  memoryMiB: number
}

export interface Thumbnail {
  width: number
  height: number
  /** Of a video whose container says it. */
  durationSeconds?: number
  /** Of a PDF. */
  pages?: number
}

/** The child's last line on standard output. */
export type WorkerAnswer = (Thumbnail & { jpeg: string }) | { code: ThumbnailFailure; message: string }
