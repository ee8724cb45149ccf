/** The answer's form on the routes of both contracts: docs/design.md, "Routes of study and factory". */
import type { TObject, TSchema } from '@sinclair/typebox'
import { t } from 'elysia'
import type { MessageKey } from '../../core/messages.ts'
import { wrapping } from '../../http/openapi/schemas.ts'
import { Envelope, envelope } from '../factory/contract.ts'

/** Study's bare fields at the top level, and factory's envelope around its own. */
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
