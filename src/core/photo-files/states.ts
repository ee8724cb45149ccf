/** How far a photo's file is: docs/contracts/portfolio.md, "Processing". */
import { inArray } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import type { PhotoFile } from './rows.ts'

export const STEPS = ['uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'] as const
export type Step = (typeof STEPS)[number]

/** The share of the whole way, in percent, at which the server is when a step runs. Receiving the bytes is a quarter. */
const BEGINS_AT = new Map<Step, number>([
  ['exif_extraction', 50],
  ['generating_thumbnails', 75],
  ['optimization', 90],
])
const RECEIVED = 25

export interface PhotoUploadState {
  status: PhotoFile['status']
  /** The step that runs, or that a failed file has failed in; otherwise the last one that is complete. */
  step: Step
  /** Bytes of the file that have arrived. */
  bytes: number
  /** Bytes of the whole request; null when the client did not say. */
  total: number | null
  percent: number
}

/** The state of a photo's file on the bus. */
export const photoUploadTopic = (fileId: number): string => `photo_upload:${fileId}`

/** The name of the upload in `IncomingUploads`. */
export const uploadName = (fileId: number): string => `photo:${fileId}`

type Progress = Pick<PhotoFile, 'id' | 'status' | 'step' | 'fileSize'>

/** The state that the record has. */
function stateOf({ status, step, fileSize }: Progress): PhotoUploadState {
  const bytes = { bytes: fileSize, total: status === 'receiving' ? null : fileSize }
  switch (status) {
    case 'receiving':
      return { status, step: 'uploaded', ...bytes, percent: 0 }
    case 'uploaded':
      return { status, step: 'uploaded', ...bytes, percent: RECEIVED }
    case 'completed':
      return { status, step: 'optimization', ...bytes, percent: 100 }
    case 'processing':
    case 'failed': {
      const at = step ?? 'exif_extraction'
      return { status, step: at, ...bytes, percent: BEGINS_AT.get(at)! }
    }
  }
}

/** The current state. The bytes of an upload that is still arriving are on the bus only. */
export function currentState(ctx: Context, file: Progress): PhotoUploadState {
  const known = ctx.bus.getState(photoUploadTopic(file.id)) as PhotoUploadState | undefined
  return file.status === 'receiving' && known ? known : stateOf(file)
}

/** The current states of files, by id, in one query. Deleted ones are absent. */
export async function currentStates(ctx: Context, ids: number[]): Promise<Map<number, PhotoUploadState>> {
  const { id, status, step, fileSize } = photoFiles
  const rows = await ctx.db.select({ id, status, step, fileSize }).from(photoFiles).where(inArray(id, ids))
  return new Map(rows.map((row) => [row.id, currentState(ctx, row)]))
}

/** Tells clients that watch how many bytes have arrived. */
export function publishReceived(
  ctx: Context,
  { id }: Pick<PhotoFile, 'id'>,
  { bytes, total }: { bytes: number; total: number | null },
): void {
  const percent = total ? Math.min(RECEIVED - 1, Math.floor((bytes / total) * RECEIVED)) : 0
  const state: PhotoUploadState = { status: 'receiving', step: 'uploaded', bytes, total, percent }
  ctx.bus.setState(photoUploadTopic(id), state)
}

/** Tells clients that watch a state that the record has now. */
export const publishState = (ctx: Context, file: Progress): void =>
  ctx.bus.setState(photoUploadTopic(file.id), stateOf(file))

/** After the commit, the record has the state. */
export const clearPhotoUpload = (tx: Tx, fileId: number): void =>
  tx.afterCommit(() => tx.bus.setState(photoUploadTopic(fileId), undefined))

/** After the commit, an upload that had not arrived completely no longer exists. */
export const endPhotoUpload = (tx: Tx, fileId: number): void =>
  tx.afterCommit(() => {
    const topic = photoUploadTopic(fileId)
    const none: PhotoUploadState = { status: 'failed', step: 'uploaded', bytes: 0, total: null, percent: 0 }
    tx.bus.setState(topic, {
      ...none,
      ...tx.bus.getState(topic),
      status: 'failed',
    } satisfies PhotoUploadState)
    tx.bus.setState(topic, undefined)
  })

export interface StepState {
  name: Step
  status: 'pending' | 'processing' | 'completed' | 'failed'
}

/** Every step with its state. */
export function stepsOf({ status, step }: Pick<PhotoUploadState, 'status' | 'step'>): StepState[] {
  const current = STEPS.indexOf(step)
  const own = {
    receiving: 'processing',
    uploaded: 'completed',
    processing: 'processing',
    completed: 'completed',
    failed: 'failed',
  } as const
  return STEPS.map((name, i) => ({
    name,
    status: i < current ? 'completed' : i > current ? 'pending' : own[status],
  }))
}
