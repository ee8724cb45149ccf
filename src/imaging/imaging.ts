/** Pictures of files, made outside the server's own process. This part knows no domain. */
import { drawPlaceholder } from './placeholder.ts'
import { ImagingError, type ImagingFailure, type Preview, type SourceKind } from './protocol.ts'
import { type PreviewJob, renderPreview } from './render.ts'

export interface Imaging {
  /**
   * Writes a JPEG of the file at `input` to `output`.
   * @throws ImagingError; the signal's reason when aborted
   */
  preview(job: PreviewJob, signal: AbortSignal): Promise<Preview>
  /** A JPEG that is shown for a file without a preview. */
  placeholder(kind: SourceKind): Promise<Uint8Array>
  /** Whether another try is useless after this error of attempt number `attempt`, which counts from 1. */
  isFinal(error: unknown, attempt: number): boolean
}

/** How often a preview is tried, by the kind of failure. Another try helps only when the machine is the cause. */
const TRIES: Record<ImagingFailure, number> = {
  UNREADABLE: 1,
  TIMEOUT: 1,
  MEMORY: 1,
  BUSY: 3,
  CRASHED: Number.POSITIVE_INFINITY,
}

export function createImaging(): Imaging {
  const placeholders: Partial<Record<SourceKind, Uint8Array>> = {}
  return {
    preview: (job, signal) => renderPreview(job, { signal }),
    async placeholder(kind) {
      placeholders[kind] ??= await drawPlaceholder(kind)
      return placeholders[kind]
    },
    isFinal: (error, attempt) => error instanceof ImagingError && attempt >= TRIES[error.code],
  }
}
