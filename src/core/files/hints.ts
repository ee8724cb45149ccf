import { defineHint } from '../../bus/bus.ts'
import type { ErrorCode } from '../errors.ts'

/** A user ended an upload that a server is receiving. `upload` is the name that the `UploadKind` gives the upload. */
export const uploadEndedHint = defineHint<{ upload: string; code: ErrorCode }>('upload_ended')
