/** Answers of the routes that study and factory share: docs/design.md, "Routes of study and factory". */
import type { TObject, TSchema } from '@sinclair/typebox'
import { t } from 'elysia'
import type { MessageKey } from '../../core/messages.ts'
import { wrapping } from '../../http/openapi/schemas.ts'
import { Envelope, envelope } from '../factory/contract.ts'

/** Study's fields at the top level, and factory's data in its envelope. */
export const both = <S extends object, F>(
  request: Request,
  study: S,
  factory: F,
  key: MessageKey = 'ok',
) => ({
  ...study,
  ...envelope(request, factory, key),
})

export const Both = <S extends TObject, F extends TSchema>(study: S, factory: F) =>
  wrapping(factory, 'Answer', t.Composite([study, Envelope(factory)]))
