import { type Static, type TObject, type TSchema, TypeGuard } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { ToolDescription } from '../../../model/model.ts'
import { isJsonObject, type JsonObject } from '../../../util/json.ts'
import type { Actor, Principal } from '../../accounts/principals.ts'
import type { Context } from '../../context.ts'
import type { AppError } from '../../errors.ts'
import { type Language, message } from '../../messages.ts'

/** A `change` is announced in the run's events; a `destroy` is carried out only after the user has confirmed it. */
export type Effect = 'read' | 'change' | 'destroy'

export interface Tool extends ToolDescription {
  effect: Effect
  /** Checks the input. @returns the input for `run`, or what is wrong with it, for the model */
  read(input: JsonObject): { input: JsonObject } | { problem: string }
  /** Acts with the user's permissions, which core checks. Returns the result for the model, which is sent as JSON. */
  run(ctx: Context, who: Actor, input: unknown, language: Language): Promise<unknown>
  /** The question to the user before a `destroy`. @throws AppError when the object does not exist */
  question?(ctx: Context, who: Principal, input: unknown, language: Language): Promise<string>
}

interface Definition<S extends TObject> {
  name: string
  description: string
  input: S
  effect: Effect
  run(ctx: Context, who: Actor, input: Static<S>, language: Language): Promise<unknown>
  question?(ctx: Context, who: Principal, input: Static<S>, language: Language): Promise<string>
}

/** Types a tool by its schema, and checks a model's input with the same schema. */
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

/** Some models write null for an optional field that they leave out. */
const withoutNulls = ({ properties }: TObject, input: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(input).flatMap(([key, value]): [string, unknown][] => {
      const schema: TSchema | undefined = Object.hasOwn(properties, key) ? properties[key] : undefined
      if (value === null && schema && TypeGuard.IsOptional(schema)) return []
      return [[key, TypeGuard.IsObject(schema) && isJsonObject(value) ? withoutNulls(schema, value) : value]]
    }),
  )

/** What a tool's error tells whoever called the tool. */
export function toolErrorText({ code, params, issues }: AppError, language: Language): string {
  const texts = issues.map(
    ({ field, rule, params }) => `${field}: ${message(`issue.${rule}`, language, params)}`,
  )
  return [message(code, language, params), ...texts].join(language === 'zh' ? '；' : '; ')
}
