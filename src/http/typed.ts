/** Fields that people type are brought into one form before they are validated. The model of a field names the form. */
import type { TSchema } from '@sinclair/typebox'
import { tidyAscii, tidyCode, tidyName } from '../util/fold.ts'

/** A text of invisible characters alone is an empty one. */
const seen = (text: string) => (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(text) ? text : '')

const FORMS = {
  email: tidyAscii,
  name: tidyName,
  /** Email or username. */
  login: (text: string) => text.trim(),
  title: (text: string) => seen(text.trim()),
  code: tidyCode,
}

const FORM = 'x-typed'

/** An option of a string model. */
export const typed = (form: keyof typeof FORMS) => ({ [FORM]: form })

/** Brings the fields of a body or a query, and of objects in it, into the forms that its model names. */
export function asTyped(model: TSchema, body: unknown): unknown {
  if (!model.properties || typeof body !== 'object' || body === null) return body
  const fields = body as Record<string, unknown>
  for (const [name, schema] of Object.entries(model.properties as Record<string, TSchema>)) {
    const form = formOf(schema)
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (form && typeof value === 'string') fields[name] = FORMS[form](value)
    else asTyped(schema, value)
  }
  return body
}

/** Whether one of the fields of a model names a form. */
export const hasTyped = (model: TSchema): boolean =>
  Object.values((model.properties ?? {}) as Record<string, TSchema>).some((schema) => formOf(schema))

/** The form that a model names, or the variant of its union that is not null. */
const formOf = (schema: TSchema): keyof typeof FORMS | undefined =>
  schema[FORM] ?? schema.anyOf?.map((variant: TSchema) => variant[FORM]).find(Boolean)
