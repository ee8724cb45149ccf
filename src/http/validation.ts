import type { TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import type { ValidationError } from 'elysia'
import { AppError, type InputPart, type Issue } from '../core/errors.ts'
import { isJsonObject, isRawNumber } from '../util/json.ts'

interface SchemaError {
  type: ValueErrorType
  path: string
  schema: TSchema
  value: unknown
  /** The errors of each variant of a union. */
  errors?: (Iterable<SchemaError> & { First(): SchemaError | undefined })[]
}

const PARTS: Record<string, InputPart> = { body: 'body', query: 'query', params: 'params' }

/**
 * Turns Elysia's validation error into an AppError with one issue for each field. Only the field and its rule are used,
 * because Elysia's own text repeats the whole input, passwords included.
 */
export function fromSchemaError(error: ValidationError): AppError {
  const issues = new Map<string, Issue>()
  for (const found of (error.all as unknown as SchemaError[]).flatMap(innermost)) {
    if (!found?.schema) continue
    const field = found.path.replace(/^\//, '').replaceAll('/', '.')
    if (!issues.has(field)) issues.set(field, { field, ...ruleOf(found) })
  }
  // When the whole body is missing, its fields have no issues of their own.
  const whole = issues.get('')
  return new AppError('VALIDATION_FAILED', {
    part: PARTS[error.type] ?? 'body',
    issues: whole ? [whole] : [...issues.values()],
  })
}

/** A field that may be null is a union: when an object was sent, the errors are those of the object's own fields. */
function innermost(error: SchemaError): SchemaError[] {
  if (error?.type !== ValueErrorType.Union || !isJsonObject(error.value)) return [error]
  const inner = (error.errors ?? []).map((variant) => [...variant])
  return inner.find(([first]) => first && first.path !== error.path)?.flatMap(innermost) ?? [error]
}

type Rule = Omit<Issue, 'field'>

function ruleOf(error: SchemaError): Rule {
  const { type, schema, value } = error
  const limit = (name: string) => ({ limit: schema[name] as number })
  if (isRawNumber(value)) return hugeRule(schema, JSON.stringify(value))
  if (value === undefined) return { rule: 'required' }
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
    case ValueErrorType.Kind:
      return unionRule(error)
    default:
      return typeof schema.type === 'string'
        ? { rule: 'type', params: { expected: schema.type } }
        : { rule: 'unknown' }
  }
}

/** Elysia's numbers and booleans are unions with a string that looks like one; nullable fields are unions with null. */
function unionRule({ schema, value, errors }: SchemaError): Rule {
  const choices = choicesOf(schema)
  if (choices) return { rule: 'choice', params: { choices } }
  const options: TSchema[] = (schema.anyOf ?? [schema]).flatMap((option: TSchema) => option.anyOf ?? [option])
  const number = options.find(({ type }) => type === 'integer' || type === 'number')
  if (number) return numberRule(number, typeof value === 'string' && value.trim() ? Number(value) : value)
  if (options.some(({ type }) => type === 'boolean')) return { rule: 'type', params: { expected: 'boolean' } }
  // The issue of a variant with the type of the value says more than that no variant fits.
  const broken = (errors ?? []).map((variant) => variant.First()).find((e) => e?.schema.type === typeof value)
  if (broken) return ruleOf(broken)
  const [first] = options
  return { rule: 'type', params: { expected: first?.type ?? 'other' } }
}

function numberRule({ type, minimum, maximum }: TSchema, value: unknown): Rule {
  if (typeof value === 'number' && (type === 'number' || Number.isInteger(value))) {
    if (value < minimum) return { rule: 'minimum', params: { limit: minimum } }
    if (value > maximum) return { rule: 'maximum', params: { limit: maximum } }
  }
  return { rule: 'type', params: { expected: type } }
}

/** The rule that an integer breaks which no double can hold. The field may accept smaller numbers, or no numbers at all. */
function hugeRule(schema: TSchema, literal: string): Rule {
  const options = (schema.anyOf ?? [schema]) as TSchema[]
  const number = options.find(({ type }) => type === 'integer' || type === 'number')
  if (!number) return { rule: 'type', params: { expected: options[0]?.type ?? 'other' } }
  const rule = numberRule(number, Number(literal))
  return rule.rule === 'type' ? { rule: 'number', params: { number: literal } } : rule
}

function choicesOf(schema: TSchema): string | undefined {
  const only = schema.const === undefined ? undefined : [schema.const]
  const values: unknown[] | undefined =
    schema.enum ?? only ?? schema.anyOf?.map((option: TSchema) => option.const)
  return values?.every((value) => value !== undefined) ? values.join(', ') : undefined
}
