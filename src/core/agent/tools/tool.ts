import type { Static, TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Principal } from '../../accounts/principals.ts'
import type { Core } from '../../context.ts'
import type { Language } from '../../messages.ts'
import type { ToolDescription } from '../model.ts'

/** `change` is announced in the events of the run; `destroy` is done only after the user has said yes. */
export type Effect = 'read' | 'change' | 'destroy'

export interface Tool extends ToolDescription {
  effect: Effect
  /** What is wrong with an input, for whoever made it; undefined: nothing. */
  problem(input: unknown): string | undefined
  /** Acts as the user: core's own rules say what they may. Returns what the model is told, as JSON. */
  run(ctx: Core, who: Principal, input: unknown): Promise<unknown>
  /** The question before it destroys. @throws AppError when there is nothing to ask about */
  question?(ctx: Core, who: Principal, input: unknown, language: Language): Promise<string>
}

interface Definition<S extends TSchema> {
  name: string
  description: string
  input: S
  effect: Effect
  run(ctx: Core, who: Principal, input: Static<S>): Promise<unknown>
  question?(ctx: Core, who: Principal, input: Static<S>, language: Language): Promise<string>
}

/** Types a tool by its schema, and checks with the same schema what a model calls it with. */
export function defineTool<S extends TSchema>(definition: Definition<S>): Tool {
  const check = TypeCompiler.Compile(definition.input)
  return {
    ...definition,
    problem(input) {
      const error = check.Errors(input).First()
      return error && `${error.path || '/'}: ${error.message}`
    },
  } as Tool
}
