import { defineHint } from '../../bus/bus.ts'
import type { ErrorCode } from '../errors.ts'

/** Somebody ended an upload that a server is receiving. `upload` is the name that its kind gives it. */
export const uploadEndedHint = defineHint<{ upload: string; code: ErrorCode }>('upload_ended')
