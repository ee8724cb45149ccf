import type { Context } from '../../../core/context.ts'
import type { Batch } from '../../../core/photo-files/batch.ts'
import { failureKey } from '../../../core/photo-files/messages.ts'
import type { PhotoFile } from '../../../core/photo-files/rows.ts'
import { type PhotoUploadState, stepsOf } from '../../../core/photo-files/states.ts'
import { originalUrl } from '../../../core/photo-files/urls.ts'
import { toAppError } from '../../../http/errors.ts'
import { originOf } from '../../../http/origin.ts'
import { portfolio } from '../contract.ts'
import { presentFileId } from '../ids.ts'
import type { UploadedFile, UploadedFiles, UploadStatus } from './models.ts'

const PROCESSING = {
  receiving: 'pending',
  uploaded: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
} as const

/** @param earlier the id of an earlier file with the same content */
export const presentUploaded = (
  ctx: Context,
  request: Request,
  file: PhotoFile,
  earlier: number | undefined,
): UploadedFile => ({
  file_id: presentFileId(file.id),
  original_filename: file.fileName,
  file_size: file.fileSize,
  mime_type: file.mimeType,
  upload_url: originalUrl(ctx, originOf(ctx, request), file),
  status: 'uploaded',
  exif_extracted: file.status === 'completed',
  processing_status: PROCESSING[file.status],
  sha256: file.sha256 ?? '',
  duplicate_of: earlier === undefined ? null : presentFileId(earlier),
})

export const presentBatch = (
  ctx: Context,
  request: Request,
  { uploaded, failed }: Batch,
  earlier: Map<number, number>,
): UploadedFiles => ({
  uploaded: uploaded.map((file) => presentUploaded(ctx, request, file, earlier.get(file.id))),
  failed: failed.map(({ name, error }) => ({ filename: name, ...presentFailure(ctx, request, error) })),
  summary: {
    total: uploaded.length + failed.length,
    success: uploaded.length,
    failed: failed.length,
  },
})

function presentFailure(ctx: Context, request: Request, thrown: unknown) {
  const { code, params, issues } = toAppError(thrown, ctx.log)
  const [issue] = issues
  if (!issue) return { error: portfolio.text(request, code, params), code: code as string }
  return {
    error: portfolio.text(request, `issue.${issue.rule}`, issue.params),
    code: issue.rule.toUpperCase(),
  }
}

const STATUS = {
  receiving: 'uploading',
  uploaded: 'uploaded',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
} as const

export const presentStatus = (
  request: Request,
  { id, failure }: PhotoFile,
  state: PhotoUploadState,
  secondsRemaining: number,
): UploadStatus => ({
  file_id: presentFileId(id),
  status: STATUS[state.status],
  progress: state.percent,
  current_step: state.step,
  steps: stepsOf(state),
  estimated_time_remaining: secondsRemaining,
  error: failure === null ? null : { code: failure, message: portfolio.text(request, failureKey(failure)) },
})
