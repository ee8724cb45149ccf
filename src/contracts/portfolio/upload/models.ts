import { type Static, t } from 'elysia'
import { RENDITION_NAMES } from '../../../core/photo-files/rows.ts'
import { STEPS } from '../../../core/photo-files/states.ts'
import { choice } from '../../../http/choice.ts'
import { nullable } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { FileId } from '../ids.ts'

export const FileParams = t.Object({ file_id: FileId })

export const UploadedFile = t.Object({
  file_id: t.String(),
  original_filename: t.String(),
  /** Bytes. */
  file_size: t.Integer(),
  mime_type: t.String(),
  /** Where the owner can fetch the file for some minutes. */
  upload_url: t.String(),
  status: t.Literal('uploaded'),
  exif_extracted: t.Boolean(),
  processing_status: choice(['pending', 'processing', 'completed', 'failed']),
  sha256: t.String(),
  /** An earlier file of the same user with the same content. */
  duplicate_of: nullable(t.String()),
})
export type UploadedFile = Static<typeof UploadedFile>

export const UploadedFiles = t.Object({
  uploaded: t.Array(UploadedFile),
  failed: t.Array(t.Object({ filename: t.String(), error: t.String(), code: t.String() })),
  summary: t.Object({ total: t.Integer(), success: t.Integer(), failed: t.Integer() }),
})
export type UploadedFiles = Static<typeof UploadedFiles>

export const UploadStatus = t.Object({
  file_id: t.String(),
  status: choice(['uploading', 'uploaded', 'processing', 'completed', 'failed']),
  /** Percent of the whole way. */
  progress: t.Integer(),
  current_step: choice(STEPS),
  steps: t.Array(
    t.Object({ name: choice(STEPS), status: choice(['pending', 'processing', 'completed', 'failed']) }),
  ),
  /** Seconds; 0 at the end. */
  estimated_time_remaining: t.Integer(),
  /** Why the file has failed: a code, and its text. */
  error: nullable(t.Object({ code: t.String(), message: t.String() })),
})
export type UploadStatus = Static<typeof UploadStatus>

/** `jpg` is another name for `display`, as in the formats of a photo. */
export const Reprocess = t.Optional(
  t.Object({
    formats: t.Optional(t.Array(choice([...RENDITION_NAMES, 'jpg']), { minItems: 1, maxItems: 20 })),
    force: t.Optional(t.Boolean()),
  }),
)

named({ UploadedFile, UploadedFiles, UploadStatus })
