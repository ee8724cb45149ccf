import type { JsonSchema } from '../openapi/schemas.ts'

/** A field of a frame, as the page shows it. */
export interface Field {
  /** With dots for fields of an object, and `[]` for the items of a list: `data.gpus[].name`. */
  name: string
  type: string
  required: boolean
  description: string
}

type Schemas = Record<string, JsonSchema>

/** Every field of a frame but its type, in order, those of objects behind the object. A field that several variants have stands once. */
export function fieldsOf(payload: JsonSchema, schemas: Schemas): Field[] {
  const variants = Array.isArray(payload.anyOf) ? (payload.anyOf as JsonSchema[]) : [payload]
  const all = variants.flatMap((variant) => fieldsIn(resolve(variant, schemas), schemas, '', true))
  const inEach = (field: Field) => all.filter(({ name }) => name === field.name).length === variants.length
  const fields = new Map(
    all.map((field) => [field.name, { ...field, required: field.required && inEach(field) }]),
  )
  fields.delete('type')
  return [...fields.values()]
}

function fieldsIn(schema: JsonSchema, schemas: Schemas, prefix: string, needed: boolean): Field[] {
  const required = (schema.required ?? []) as string[]
  return Object.entries((schema.properties ?? {}) as Schemas).flatMap(([key, field]) => {
    const name = prefix + key
    const resolved = resolve(field, schemas)
    const own: Field = {
      name,
      type: typeOf(field, schemas),
      required: needed && required.includes(key),
      description: String(field.description ?? resolved.description ?? ''),
    }
    const items = resolved.type === 'array' ? resolve(resolved.items as JsonSchema, schemas) : undefined
    const inner = items
      ? fieldsIn(items, schemas, `${name}[].`, own.required)
      : fieldsIn(resolved, schemas, `${name}.`, own.required)
    return [own, ...inner]
  })
}

function resolve(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const { $ref } = schema
  return typeof $ref === 'string' ? schemas[$ref.slice($ref.lastIndexOf('/') + 1)]! : schema
}

function typeOf(schema: JsonSchema, schemas: Schemas): string {
  const one = resolve(schema, schemas)
  if ('const' in one) return JSON.stringify(one.const)
  if (Array.isArray(one.enum)) return one.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (Array.isArray(one.anyOf)) return one.anyOf.map((part) => typeOf(part, schemas)).join(' | ')
  if (one.type === 'array') return `list of ${typeOf(one.items as JsonSchema, schemas)}`
  const types = Array.isArray(one.type) ? one.type : [one.type ?? 'anything']
  return types.join(' | ')
}
