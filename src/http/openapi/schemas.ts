import type { TSchema } from '@sinclair/typebox'
import { pascal } from './operation-id.ts'

export type JsonSchema = Record<string, unknown>
type Fields = Record<string, JsonSchema>

/** Gives models their names in the OpenAPI document, as in `named({ FactoryTask: Task })`. */
export function named(models: Record<string, TSchema>): void {
  for (const [name, model] of Object.entries(models)) model.title = name
}

/**
 * Names a model after the model that it contains, if that has a name: an `Envelope` around a `GpuServer` is a
 * `GpuServerEnvelope`, around a list of them a `GpuServerListEnvelope`.
 */
export function wrapping<T extends TSchema>(inner: TSchema, suffix: string, model: T): T {
  const name = inner.title ?? (inner.type === 'array' && inner.items.title && `${inner.items.title}List`)
  if (name) model.title = name + suffix
  return model
}

/**
 * Turns the models of the routes into JSON Schema 2020-12. Every object is written once, under `schemas`; every use of it is
 * a reference. A model without a name gets one after the place of its first use.
 */
export class SchemaPool {
  readonly schemas: Fields = {}
  /** By identity. */
  private readonly names = new Map<string, string>()
  /** The other way round. */
  private readonly identities = new Map<string, string>()
  private readonly seen = new WeakSet<object>()

  /**
   * Takes the names of a model and of its parts. Call it for all models before `add`, so that no model without a name takes the
   * name of another.
   */
  collect(model: unknown): void {
    if (typeof model !== 'object' || model === null || this.seen.has(model)) return
    this.seen.add(model)
    const { title } = model as JsonSchema
    if (typeof title === 'string') {
      const identity = identityOf(model as JsonSchema)
      const other = this.identities.get(title) ?? identity
      if (other !== identity) throw new Error(`Two models of the OpenAPI document are called ${title}`)
      const former = this.names.get(identity)
      if (former !== undefined) this.identities.delete(former)
      this.identities.set(title, identity)
      this.names.set(identity, title)
    }
    for (const part of Object.values(model)) this.collect(part)
  }

  /** @param place the name for a schema that has none */
  add(model: TSchema | JsonSchema, place: string): JsonSchema {
    const schema = model as JsonSchema
    const identity = identityOf(schema)
    const known = this.names.get(identity)
    if (known && known in this.schemas) return reference(known)
    const name = known ?? (hasFields(schema) ? this.free(place) : undefined)
    const { title: _, ...written } = this.write(schema, name ?? place)
    if (!name) return written
    this.names.set(identity, name)
    this.schemas[name] = written
    return reference(name)
  }

  private free(place: string): string {
    const taken = new Set([...this.names.values(), ...Object.keys(this.schemas)])
    let name = place
    for (let n = 2; taken.has(name); n++) name = `${place}${n}`
    return name
  }

  private write(schema: JsonSchema, place: string): JsonSchema {
    const { anyOf, allOf, properties, required, items, patternProperties, ...rest } = asWritten(schema)
    if (Array.isArray(anyOf)) return this.union(anyOf, rest, place)
    const written: JsonSchema = { ...rest }
    if (Array.isArray(allOf)) written.allOf = allOf.map((part, n) => this.add(part, `${place}Part${n + 1}`))
    if (properties) {
      written.properties = mapFields(properties as Fields, (field, name) =>
        this.add(field, place + pascal(name)),
      )
      // A client may leave out a field that has a default.
      const needed = (required as string[] | undefined)?.filter(
        (name) => !('default' in ((properties as Fields)[name] ?? {})),
      )
      if (needed?.length) written.required = needed
    }
    if (items)
      written.items = this.add(items as JsonSchema, place.endsWith('s') ? place.slice(0, -1) : `${place}Item`)
    // A record with any keys.
    if (patternProperties) {
      const [values] = Object.values(patternProperties as Fields)
      written.additionalProperties = isAnything(values!) ? true : this.add(values!, `${place}Value`)
    }
    return written
  }

  private union(variants: JsonSchema[], rest: JsonSchema, place: string): JsonSchema {
    const kinds = variants.filter(({ type }) => type !== 'null')
    const nullable = kinds.length < variants.length
    if (kinds.every((kind) => 'const' in kind) && kinds.length > 1) {
      const values = kinds.map((kind) => kind.const)
      return withNull({ type: typeof values[0], enum: values, ...rest }, nullable)
    }
    // Elysia also accepts a string that holds a number. The document names only the number.
    const read = kinds.filter(({ type, format }) => type !== 'string' || !READ_FROM_TEXT.has(String(format)))
    const [only] = read
    if (read.length === 1) {
      const { default: _, ...inner } = only!
      return withNull({ ...this.add({ ...(kinds.length > 1 ? inner : only), ...rest }, place) }, nullable)
    }
    const parts = read.map((part, n) => this.add(part, `${place}Variant${n + 1}`))
    return { anyOf: nullable ? [...parts, { type: 'null' }] : parts, ...rest }
  }
}

const READ_FROM_TEXT = new Set(['integer', 'numeric', 'boolean', 'Date'])

const reference = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

function withNull(schema: JsonSchema, nullable: boolean): JsonSchema {
  if (!nullable) return schema
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] }
  const type = [schema.type, 'null']
  return Array.isArray(schema.enum) ? { ...schema, type, enum: [...schema.enum, null] } : { ...schema, type }
}

const hasFields = ({ type, properties }: JsonSchema) =>
  type === 'object' && Object.keys((properties as Fields | undefined) ?? {}).length > 0

const isAnything = (schema: JsonSchema) => Object.keys(schema).length === 0

const mapFields = (fields: Fields, change: (field: JsonSchema, name: string) => JsonSchema): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, change(field, name)]))

/** Without the `additionalProperties: false` that Elysia adds to a model: the server ignores fields that the model lacks. */
function asWritten({ additionalProperties, ...schema }: JsonSchema): JsonSchema {
  return additionalProperties === false || additionalProperties === undefined
    ? schema
    : { ...schema, additionalProperties }
}

/** A text that two models share when they differ only in their names. */
function identityOf(schema: JsonSchema): string {
  const known = identities.get(schema)
  if (known !== undefined) return known
  const identity = JSON.stringify(schema, (key, value) => {
    if (key === 'title' && typeof value === 'string') return undefined
    return key === 'additionalProperties' && value === false ? undefined : value
  })
  identities.set(schema, identity)
  return identity
}
const identities = new WeakMap<JsonSchema, string>()
