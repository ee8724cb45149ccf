import type { JsonSchema } from './schemas.ts'

const TEXTS: Record<string, string> = {
  email: 'ada@example.com',
  'date-time': '2030-01-15T09:00:00Z',
  date: '2030-01-15',
  uuid: '01920000-0000-7000-8000-000000000000',
  uri: 'https://example.com/',
}

/** A value for a schema, with the required fields of an object. It does not regard patterns. */
export function sampleOf(schema: JsonSchema, schemas: Record<string, JsonSchema>): unknown {
  if (typeof schema.$ref === 'string') {
    return sampleOf(schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]!, schemas)
  }
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (Array.isArray(schema.anyOf)) return sampleOf(schema.anyOf[0], schemas)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  switch (type) {
    case 'object': {
      const fields = (schema.properties ?? {}) as Record<string, JsonSchema>
      const needed = (schema.required ?? []) as string[]
      return Object.fromEntries(needed.map((name) => [name, sampleOf(fields[name]!, schemas)]))
    }
    case 'array':
      return schema.minItems ? [sampleOf(schema.items as JsonSchema, schemas)] : []
    case 'string':
      return TEXTS[String(schema.format)] ?? 'text'.padEnd(Number(schema.minLength ?? 0), '-')
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    default:
      return null
  }
}
