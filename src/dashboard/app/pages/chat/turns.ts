/** A conversation as turns: a question of the user, and what the agent says and does about it. */

export interface ToolCall {
  kind: 'tool'
  id: string
  name: string
  /** JSON text, whole or in parts while it arrives. */
  input: string
  /** JSON text; undefined: none yet. */
  result: string | undefined
}
export interface Words {
  /** `thought`: a model thinks aloud; the server does not keep it. */
  kind: 'text' | 'thought'
  id: string
  text: string
}
export type Part = Words | ToolCall

export interface Turn {
  runId: string
  /** Undefined until it has been fetched, when somebody has asked elsewhere. */
  question: string | undefined
  parts: Part[]
  status: 'running' | 'completed' | 'failed' | 'cancelled'
  /** A code, when it failed. */
  error: string | undefined
  /** The parts are those that the server keeps. Frames add nothing to them. */
  isKept: boolean
}

/** A conversation as `GET /agent-chats/{id}` has it. */
export interface Kept {
  messages: {
    id: string
    run_id: string
    role: 'user' | 'assistant' | 'tool'
    content: string
    tool_calls: { id: string; name: string; input: unknown }[]
    tool_call_id: string | null
  }[]
  run: { run_id: string; status: Turn['status']; error: string | null } | null
}

export interface Frame {
  run_id: string
  event: { type: string; [field: string]: unknown }
}

export const newTurn = (runId: string, question?: string): Turn => ({
  runId,
  question,
  parts: [],
  status: 'running',
  error: undefined,
  isKept: false,
})

/** The turns that the server keeps. The messages of an answer are stored when it has ended; until then its frames have it. */
export function turnsOf({ messages, run }: Kept): Turn[] {
  let turns: Turn[] = []
  for (const { id, run_id, role, content, tool_calls, tool_call_id } of messages) {
    if (turns.at(-1)?.runId !== run_id) turns.push({ ...newTurn(run_id), status: 'completed' })
    const turn = turns.at(-1)!
    if (role === 'user') {
      turn.question = content
      continue
    }
    turn.isKept = true
    if (role === 'tool') {
      turns = withResult(turns, tool_call_id, content)
      continue
    }
    if (content) turn.parts.push({ kind: 'text', id, text: content })
    for (const { id, name, input } of tool_calls) {
      turn.parts.push({ kind: 'tool', id, name, input: JSON.stringify(input), result: undefined })
    }
  }
  return turns.map((turn) => {
    if (turn.runId !== run?.run_id) return turn
    // The answer may have been stored after its run was read.
    const status = run.status === 'running' && turn.isKept ? 'completed' : run.status
    return { ...turn, status, error: run.error ?? undefined, isKept: turn.isKept || run.status !== 'running' }
  })
}

/** What the server keeps, with what frames have brought meanwhile. */
export function merged(kept: Turn[], shown: Turn[]): Turn[] {
  const known = new Map(shown.map((turn) => [turn.runId, turn]))
  const turns = kept.map((turn) => {
    const live = known.get(turn.runId)
    if (!live || live.isKept) return turn
    if (!turn.isKept) return { ...live, question: turn.question ?? live.question }
    return live.status === 'running' ? turn : { ...turn, status: live.status, error: live.error }
  })
  const ids = new Set(kept.map(({ runId }) => runId))
  // A turn that began after the server was asked.
  return [...turns, ...shown.filter(({ runId, isKept }) => !isKept && !ids.has(runId))]
}

/** The turns after one more frame. Frames come in order and each once. */
export function afterFrame(turns: Turn[], { run_id: runId, event }: Frame): Turn[] {
  const at = turns.findLastIndex((turn) => turn.runId === runId)
  const turn = turns[at]
  if (!turn) return afterFrame([...turns, newTurn(runId)], { run_id: runId, event })
  if (event.type === 'RUN_FINISHED' || event.type === 'RUN_ERROR') {
    return turns.with(at, { ...turn, ...endOf(event) })
  }
  if (turn.isKept) return turns
  if (event.type === 'TOOL_CALL_RESULT') {
    return withResult(turns, event.toolCallId as string, event.content as string)
  }
  const parts = partsAfter(turn.parts, event)
  return parts === turn.parts ? turns : turns.with(at, { ...turn, parts })
}

function endOf(event: Frame['event']): Pick<Turn, 'status' | 'error'> {
  if (event.type === 'RUN_ERROR') return { status: 'failed', error: String(event.code ?? 'INTERNAL') }
  const { type } = (event.outcome ?? {}) as { type?: string }
  return { status: type === 'cancelled' ? 'cancelled' : 'completed', error: undefined }
}

function partsAfter(parts: Part[], event: Frame['event']): Part[] {
  const delta = event.delta as string
  switch (event.type) {
    case 'TEXT_MESSAGE_CONTENT':
      return withWords(parts, 'text', event.messageId as string, delta)
    case 'REASONING_MESSAGE_CONTENT':
      return withWords(parts, 'thought', event.messageId as string, delta)
    case 'TOOL_CALL_START': {
      const { toolCallId, toolCallName } = event as unknown as { toolCallId: string; toolCallName: string }
      return [...parts, { kind: 'tool', id: toolCallId, name: toolCallName, input: '', result: undefined }]
    }
    case 'TOOL_CALL_ARGS': {
      const at = parts.findLastIndex(({ kind, id }) => kind === 'tool' && id === event.toolCallId)
      const call = parts[at] as ToolCall | undefined
      return call ? parts.with(at, { ...call, input: call.input + delta }) : parts
    }
    default:
      return parts
  }
}

function withWords(parts: Part[], kind: Words['kind'], id: string, delta: string): Part[] {
  const last = parts.at(-1)
  return last?.kind === kind && last.id === id
    ? parts.with(-1, { ...last, text: last.text + delta })
    : [...parts, { kind, id, text: delta }]
}

/** The result may be of a call of an earlier turn: one that has waited for the user's yes. */
function withResult(turns: Turn[], callId: string | null, result: string): Turn[] {
  for (let at = turns.length - 1; at >= 0; at--) {
    const turn = turns[at]!
    const place = turn.parts.findIndex(({ kind, id }) => kind === 'tool' && id === callId)
    if (place < 0) continue
    const call = turn.parts[place] as ToolCall
    return turns.with(at, { ...turn, parts: turn.parts.with(place, { ...call, result }) })
  }
  return turns
}

/** Whether the last turn has ended with a question before a destructive tool: its call has no result yet. */
export function asksForConsent(turns: Turn[]): boolean {
  const last = turns.at(-1)
  return (
    last?.status === 'completed' &&
    last.parts.some((part) => part.kind === 'tool' && part.result === undefined)
  )
}

export type CallState = 'running' | 'waiting' | 'done' | 'failed' | 'declined' | 'stopped'

export function callState({ result }: ToolCall, turn: Turn, isLast: boolean): CallState {
  if (result !== undefined) {
    const value = readJson(result)
    if (typeof value !== 'object' || value === null) return 'done'
    return 'error' in value ? 'failed' : 'declined' in value ? 'declined' : 'done'
  }
  if (turn.status === 'running') return 'running'
  return turn.status === 'completed' && isLast ? 'waiting' : 'stopped'
}

/** Undefined when the text is not whole, such as a long result that the server has cut. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
