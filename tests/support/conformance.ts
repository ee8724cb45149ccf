/**
 * Compares all that servers send on sockets, and every event that they write, with the schemas in `src/protocol`. A frame
 * may not have a field that its schema does not name. `preload.ts` fails the test after which a misfit is found.
 */
import { type TObject, type TSchema, Type } from '@sinclair/typebox'
import { FrameCheck, frame } from '../../src/protocol/frame.ts'
import { EVENTS } from '../../src/protocol/live/events.ts'
import { ControlFrame } from '../../src/protocol/live/server-frames.ts'
import { StateFrame } from '../../src/protocol/live/topics.ts'
import { NodeServerFrame } from '../../src/protocol/node/server-frames.ts'
import { Instant } from '../../src/protocol/schemas.ts'
import { protocolMisfits } from './misfits.ts'

/** The same schema without room for other fields, unless it says that there is some. */
function closed<T extends TSchema>(schema: T): T {
  if (schema.anyOf) return { ...schema, anyOf: schema.anyOf.map(closed) }
  if (schema.type === 'array') return { ...schema, items: closed(schema.items) }
  if (schema.type !== 'object' || !schema.properties) return schema
  const properties = Object.entries((schema as unknown as TObject).properties)
  return {
    additionalProperties: false,
    ...schema,
    properties: Object.fromEntries(properties.map(([name, one]) => [name, closed(one)])),
  }
}

const Cursor = Type.String({ pattern: '^[0-9a-z]+\\.\\d{1,15}$' })
const EventFrame = Object.entries(EVENTS).map(([type, data]) =>
  frame(type, { cursor: Cursor, at: Instant, data }),
)

type Schemas = ConstructorParameters<typeof FrameCheck>[0]['anyOf']
const check = (...schemas: Schemas) =>
  new FrameCheck({ anyOf: schemas.map(closed) }, 'the protocol has no such frame')
const toUser = check(...ControlFrame.anyOf, ...StateFrame.anyOf, ...EventFrame)
const toNode = check(...NodeServerFrame.anyOf)

/** @param url of the socket on which the server sent the frame */
export function checkFrame(url: string, frame: unknown): void {
  const problem = (new URL(url).pathname === '/ws/node' ? toNode : toUser).problem(frame)
  if (problem !== undefined) protocolMisfits.push(`${problem}: ${JSON.stringify(frame).slice(0, 500)}`)
}

/** @param event as the log holds it */
export function checkEvent(event: { type: string; data: string; at: string; seq: number }): void {
  const { type, data, at, seq } = event
  const problem = toUser.problem({ type, cursor: `e.${seq}`, at, data: JSON.parse(data) })
  if (problem !== undefined) protocolMisfits.push(`${problem}: ${JSON.stringify(event).slice(0, 500)}`)
}
