/** Pictures of files, made outside the server's own process. This part knows no domain. */

import { inTurn } from '../util/in-turn.ts'
import { type PhotoJob, type PhotoResult, renderPhoto } from './photo.ts'
import { drawPlaceholder, type PlaceholderKind } from './placeholder.ts'
import { type Facts, ImagingError, type ImagingFailure, type Preview } from './protocol.ts'
import { type MeasureJob, measureFile, type PreviewJob, renderPreview } from './render.ts'

export interface Imaging {
  /**
   * Writes a JPEG of the file at `input` to `output`.
   * @throws ImagingError; the signal's reason when aborted
   */
  preview(job: PreviewJob, signal: AbortSignal): Promise<Preview>
  /**
   * Reads how long a video is, or how many pages a PDF has.
   * @throws ImagingError; the signal's reason when aborted
   */
  measure(job: MeasureJob, signal: AbortSignal): Promise<Facts>
  /**
   * Writes the renditions of a photo to the directory `output`, and reads what its file says about it. A photo waits until those
   * before it have ended, because the process of each takes up to two gigabytes.
   * @throws ImagingError; the signal's reason when aborted
   */
  photo(job: PhotoJob, signal: AbortSignal): Promise<PhotoResult>
  /** A JPEG that is shown for a file without a preview, and for a photo without renditions. */
  placeholder(kind: PlaceholderKind): Promise<Uint8Array>
  /** Whether another try is useless after this error of attempt number `attempt`, which counts from 1. */
  isFinal(error: unknown, attempt: number): boolean
}

/** How often a file is tried, by the kind of failure. Another try helps only when the machine is the cause. */
const TRIES: Record<ImagingFailure, number> = {
  UNREADABLE: 1,
  TOO_MANY_PIXELS: 1,
  NO_PREVIEW: 1,
  TIMEOUT: 1,
  MEMORY: 1,
  BUSY: 3,
  CRASHED: 4,
}

export function createImaging(): Imaging {
  const placeholders: Partial<Record<PlaceholderKind, Uint8Array>> = {}
  const photoTurn = inTurn()
  return {
    preview: (job, signal) => renderPreview(job, { signal }),
    measure: (job, signal) => measureFile(job, signal),
    photo: (job, signal) => photoTurn(() => renderPhoto(job, { signal }), signal),
    async placeholder(kind) {
      placeholders[kind] ??= await drawPlaceholder(kind)
      return placeholders[kind]
    },
    isFinal: (error, attempt) => error instanceof ImagingError && attempt >= TRIES[error.code],
  }
}
