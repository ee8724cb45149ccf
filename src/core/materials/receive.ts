import { eq, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { receiveFile, type UploadKind, type UploadSource } from '../files/receive.ts'
import { MATERIAL_FORMATS, type MaterialFormat } from './formats.ts'
import type { Material } from './rows.ts'
import { abandonUpload, beginUpload, finishUpload } from './upload-steps.ts'
import { type UploadState, uploadName, uploadTopic } from './uploads.ts'

/** What an uploader says of a material beside its file. */
export interface MaterialDetails {
  title: string
  description: string
}

/**
 * Receives a material, from its first byte until it is active.
 * @throws AppError as `receiveFile`, and UNSUPPORTED_FILE_TYPE, ALREADY_DELETED
 */
export const uploadMaterial = (
  ctx: Context,
  userId: number,
  source: UploadSource<MaterialDetails>,
): Promise<Material> => receiveFile(ctx, userId, materialUploads, source)

const materialUploads: UploadKind<MaterialFormat, Material, MaterialDetails> = {
  accepted: MATERIAL_FORMATS,
  hashes: false,
  begin: (ctx, userId, { format, name, details }) =>
    beginUpload(ctx, userId, { format, name, title: details.title ?? '' }),
  nameOf: ({ id }) => uploadName(id),
  keyOf: ({ filePath }) => filePath,
  publish(ctx, { id }, { bytes, total }) {
    const percent = total ? Math.min(99, Math.floor((bytes / total) * 100)) : 0
    const state: UploadState = { status: 'processing', bytes, total, percent }
    ctx.bus.setState(uploadTopic(id), state)
  },
  touch(ctx, { id }) {
    ctx.db
      .update(materials)
      .set({ updatedAt: sql`now()` })
      .where(eq(materials.id, id))
      .then(undefined, () => {})
  },
  finish: (tx, material, { size, details }) => finishUpload(tx, material, { size, ...details }),
  abandon: abandonUpload,
}
