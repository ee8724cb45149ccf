import { type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'

/**
 * A JSON text frame: an object that names its `type`.
 * @param description when it is sent and what it means, for readers of the documentation
 */
export const frame = <N extends string, P extends Record<string, TSchema>>(
  type: N,
  description: string,
  properties: P,
) => Type.Object({ type: Type.Literal(type), ...properties }, { description })

type AnyFrame = TSchema & { properties: { type: { const: string } } }

/** Checks frames against a union of frame schemas, by their types. A type may have several schemas. */
export class FrameCheck {
  private readonly checks = new Map<string, TypeCheck<TSchema>>()

  constructor(
    union: { anyOf: AnyFrame[] },
    /** What `problem` answers for a type that the union does not have. */
    private readonly unknown: string,
  ) {
    for (const [type, schemas] of Map.groupBy(union.anyOf, (schema) => schema.properties.type.const))
      this.checks.set(type, TypeCompiler.Compile(schemas.length === 1 ? schemas[0]! : Type.Union(schemas)))
  }

  /** What is wrong with `value`, in English; undefined when it fits. */
  problem(value: unknown): string | undefined {
    const type = (value as { type?: unknown } | null | undefined)?.type
    const check = typeof type === 'string' ? this.checks.get(type) : undefined
    if (!check) return this.unknown
    // The compiled check runs first, because the search for an error walks the schema.
    if (check.Check(value)) return undefined
    const error = check.Errors(value).First()
    return `${error?.path || '/'}: ${error?.message}`
  }
}
