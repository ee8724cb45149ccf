import type { TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import type { ValidationError } from 'elysia'
import { AppError, type InputPart, type Issue } from '../core/errors.ts'

interface SchemaError {
  type: ValueErrorType
  path: string
  schema: TSchema
}

const PARTS: Record<string, InputPart> = { body: 'body', query: 'query', params: 'params' }

/**
 * A schema error as our own. Elysia's rendering echoes the whole input, passwords included, so none of it is used:
 * only which field broke which rule. One issue per field.
 */
export function fromSchemaError(error: ValidationError): AppError {
  const issues = new Map<string, Issue>()
  for (const found of error.all as unknown as SchemaError[]) {
    if (!found?.schema) continue
    const field = found.path.replace(/^\//, '').replaceAll('/', '.')
    if (!issues.has(field)) issues.set(field, { field, ...ruleOf(found) })
  }
  // A whole that is missing has nothing to say about its fields.
  const whole = issues.get('')
  return new AppError('VALIDATION_FAILED', {
    part: PARTS[error.type] ?? 'body',
    issues: whole ? [whole] : [...issues.values()],
  })
}

function ruleOf({ type, schema }: SchemaError): Omit<Issue, 'field'> {
  const limit = (name: string) => ({ limit: schema[name] as number })
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return { rule: 'required' }
    case ValueErrorType.StringMinLength:
      return schema.minLength === 1
        ? { rule: 'required' }
        : { rule: 'min_length', params: limit('minLength') }
    case ValueErrorType.StringMaxLength:
      return { rule: 'max_length', params: limit('maxLength') }
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.NumberMinimum:
      return { rule: 'minimum', params: limit('minimum') }
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMaximum:
      return { rule: 'maximum', params: limit('maximum') }
    case ValueErrorType.ArrayMinItems:
      return { rule: 'min_items', params: limit('minItems') }
    case ValueErrorType.ArrayMaxItems:
      return { rule: 'max_items', params: limit('maxItems') }
    case ValueErrorType.StringFormat:
      return { rule: schema.format === 'email' ? 'email' : 'format' }
    case ValueErrorType.StringPattern:
      return { rule: 'format' }
    case ValueErrorType.Union:
    case ValueErrorType.Literal:
    case ValueErrorType.Kind: {
      const choices = choicesOf(schema)
      return choices
        ? { rule: 'choice', params: { choices } }
        : { rule: 'type', params: { expected: 'other' } }
    }
    default:
      return typeof schema.type === 'string'
        ? { rule: 'type', params: { expected: schema.type } }
        : { rule: 'unknown' }
  }
}

function choicesOf(schema: TSchema): string | undefined {
  const values = (schema.enum ?? schema.anyOf?.map((option: TSchema) => option.const)) as
    | unknown[]
    | undefined
  return values?.every((value) => value !== undefined) ? values.join(', ') : undefined
}
