/** What the server and its child process say to each other. Neither side loads the other's libraries through this. */

export type ThumbnailKind = 'video' | 'pdf'

/**
 * UNREADABLE: the file itself, so trying again is of no use. The others may go away: TIMEOUT and MEMORY are limits of
 * ours, CRASHED is a decoder that died or is not there.
 */
export const FAILURES = ['UNREADABLE', 'TIMEOUT', 'MEMORY', 'CRASHED'] as const
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
