import { cutText } from '../util/cut.ts'
import { isJsonObject, type JsonObject, parseJson } from '../util/json.ts'

/** A piece of a tool call in a stream. */
export interface CallPiece {
  index?: unknown
  id?: unknown
  function?: { name?: unknown; arguments?: unknown } | null
}

interface Call {
  index: number | undefined
  id: string | undefined
  name: string
  args: string
}

/** Further calls are dropped. A run ends at far fewer calls in one turn. */
const MOST_CALLS = 1000

/** Joins the pieces of tool calls. APIs differ in which of index, id and name a piece has. */
export class ToolCalls {
  private readonly calls: Call[] = []

  add({ index: at, id: named, function: given }: CallPiece): void {
    const index = typeof at === 'number' ? at : undefined
    const id = textIn(named)
    const name = textIn(given?.name)
    const args = given?.arguments
    const last = this.calls.findLast((call) =>
      index !== undefined ? call.index === index : id === undefined || call.id === id,
    )
    // A piece under the same index is a new call when its id differs, or when it begins an object
    // and the arguments of the last call are complete.
    const another =
      last !== undefined &&
      name !== undefined &&
      last.name !== '' &&
      ((id !== undefined && last.id !== undefined && id !== last.id) ||
        (index === undefined && id === undefined) ||
        (typeof args === 'string' && args.startsWith('{') && isWhole(last.args)))
    const call = another ? undefined : last
    if (!call && this.calls.length === MOST_CALLS) return
    const target = call ?? { index, id, name: '', args: '' }
    if (!call) this.calls.push(target)
    target.id ??= id
    if (target.name === '') target.name = name ?? ''
    if (typeof args === 'string') target.args += args
    else if (args !== undefined && args !== null) target.args += JSON.stringify(args)
  }

  get whole(): { name: string; args: string }[] {
    return this.calls.filter(({ name, args }) => name !== '' || args !== '')
  }
}

const isWhole = (args: string): boolean => args.trimEnd().endsWith('}') && isJsonObject(parsed(args))

/** A valid tool name. APIs refuse a history with an invalid one, even if the model has made it up. */
export const toolName = (name: string): string => name.replace(/[^\w-]/g, '_').slice(0, 64) || 'unnamed'

const SHOWN = 500

/** The arguments of a call as an object. `problem` tells the model what is wrong with them. */
export function readArguments(text: string): { input: JsonObject; problem?: string } {
  // Models write a call without arguments as an empty text or null.
  if (/^\s*(?:null)?\s*$/.test(text)) return { input: {} }
  let value = parsed(text)
  // Some models encode the object twice.
  if (typeof value === 'string') value = parsed(value) ?? value
  if (isJsonObject(value)) return { input: value }
  const wrong = value === undefined ? 'are not valid JSON' : 'are JSON, but not an object'
  return {
    input: {},
    problem: `The arguments ${wrong}, so nothing was done. Call again with a JSON object. They were: ${cutText(text, SHOWN, '…')}`,
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, 'null')
  } catch {
    return undefined
  }
}

const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined
