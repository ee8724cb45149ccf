import { FrameCheck } from '../../protocol/frame.ts'
import { ClientFrame, PROTOCOL_VERSION } from '../../protocol/live/client-frames.ts'
import { isRawNumber, parseJson } from '../../util/json.ts'

/** The fields of a client's frame that the server's answers repeat as the client wrote them. */
export interface About {
  topic?: string | number
  task_id?: string | number
  id?: string | number
}

/** A frame; or `malformed` (no JSON text, or no object with a type); or the `problem` with its fields. */
export type ReadFrame =
  | { malformed: true }
  | { problem: string; about: About }
  | { frame: ClientFrame; about: About }

const check = new FrameCheck(
  ClientFrame,
  `unknown frame type; this server speaks protocol ${PROTOCOL_VERSION}`,
)

export function parseClientFrame(data: string | Buffer): ReadFrame {
  let value: unknown
  try {
    // The server repeats an id exactly, also a number that no double holds.
    value = typeof data === 'string' ? parseJson(data, 'null') : undefined
  } catch {
    return { malformed: true }
  }
  const type = (value as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string') return { malformed: true }
  const about = aboutOf(value as Record<string, unknown>)
  const problem = check.problem(value)
  return problem === undefined ? { frame: value as ClientFrame, about } : { problem, about }
}

/** Only texts and numbers: the server would have to repeat any other value without a limit of its size. */
function aboutOf(frame: Record<string, unknown>): About {
  const about: About = {}
  for (const name of ['topic', 'task_id', 'id'] as const) {
    const value = frame[name]
    if (typeof value === 'string' || typeof value === 'number' || isRawNumber(value)) {
      about[name] = value as string | number
    }
  }
  return about
}
