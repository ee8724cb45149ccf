import { type Static, type TObject, type TSchema, TypeGuard } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { ToolDescription } from '../../../model/model.ts'
import { isJsonObject, type JsonObject } from '../../../util/json.ts'
import type { Principal } from '../../accounts/principals.ts'
import type { Context } from '../../context.ts'
import type { Language } from '../../messages.ts'

/** `change` is announced in the events of the run; `destroy` is done only after the user has said yes. */
export type Effect = 'read' | 'change' | 'destroy'

export interface Tool extends ToolDescription {
  effect: Effect
  /** The input as the tool takes it, or what is wrong with it, for whoever made it. */
  read(input: JsonObject): { input: JsonObject } | { problem: string }
  /** Acts as the user: core's own rules say what they may. Returns what the model is told, as JSON. */
  run(ctx: Context, who: Principal, input: unknown, language: Language): Promise<unknown>
  /** The question before it destroys. @throws AppError when there is nothing to ask about */
  question?(ctx: Context, who: Principal, input: unknown, language: Language): Promise<string>
}

interface Definition<S extends TObject> {
  name: string
  description: string
  input: S
  effect: Effect
  run(ctx: Context, who: Principal, input: Static<S>, language: Language): Promise<unknown>
  question?(ctx: Context, who: Principal, input: Static<S>, language: Language): Promise<string>
}

/** Types a tool by its schema, and checks with the same schema what a model calls it with. */
export function defineTool<S extends TObject>(definition: Definition<S>): Tool {
  const check = TypeCompiler.Compile(definition.input)
  return {
    ...definition,
    read(given) {
      const input = withoutNulls(definition.input, given)
      const error = check.Errors(input).First()
      return error ? { problem: `${error.path || '/'}: ${error.message}` } : { input }
    },
  } as Tool
}

/** Models write null for what they leave out. */
const withoutNulls = ({ properties }: TObject, input: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(input).flatMap(([key, value]): [string, unknown][] => {
      const schema: TSchema | undefined = Object.hasOwn(properties, key) ? properties[key] : undefined
      if (value === null && schema && TypeGuard.IsOptional(schema)) return []
      return [[key, TypeGuard.IsObject(schema) && isJsonObject(value) ? withoutNulls(schema, value) : value]]
    }),
  )
