/** The server's own AsyncAPI document, and whether a frame is one that it describes. */
import Ajv, { type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { type AsyncApiDocument, asyncApiDocument } from '../../src/http/asyncapi/document.ts'
import { closed } from './closed.ts'

export type SocketName = keyof AsyncApiDocument['channels']

let document: AsyncApiDocument | undefined
export function documentedSockets(): AsyncApiDocument {
  // By way of JSON: what clients get of it.
  document ??= JSON.parse(JSON.stringify(asyncApiDocument())) as AsyncApiDocument
  return document
}

/** The types of the frames that a server sends on a socket, or receives. */
export function documentedTypes(socket: SocketName, action: 'send' | 'receive'): Set<string> {
  const ofSocket = Object.values(documentedSockets().operations).filter(
    (one) => one.action === action && one.channel.$ref === `#/channels/${socket}`,
  )
  return new Set(ofSocket.flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split('/').pop()!)))
}

interface Judge {
  types: Set<string>
  ajv: Ajv
  validators: Map<string, ValidateFunction>
}

const judges = new Map<string, Judge>()
function judgeOf(socket: SocketName, action: 'send' | 'receive'): Judge {
  const key = `${socket} ${action}`
  let judge = judges.get(key)
  if (!judge) {
    const ajv = new Ajv({ strict: false, validateSchema: false })
    addFormats(ajv)
    const { channels, components } = documentedSockets()
    // What servers send may not have a field that the document does not name. Of what they receive, they ignore it.
    ajv.addSchema(action === 'send' ? closed({ channels, components }) : { channels, components }, 'live')
    judge = { types: documentedTypes(socket, action), ajv, validators: new Map() }
    judges.set(key, judge)
  }
  return judge
}

/** What the document does not say of a frame that a server has sent, or received; undefined when it fits. */
export function undocumentedFrame(
  socket: SocketName,
  action: 'send' | 'receive',
  frame: unknown,
): string | undefined {
  const { types, ajv, validators } = judgeOf(socket, action)
  const type = String((frame as { type?: unknown } | null | undefined)?.type)
  if (!types.has(type)) return 'the document has no such frame'
  const validate =
    validators.get(type) ?? ajv.compile({ $ref: `live#/channels/${socket}/messages/${type}/payload` })
  validators.set(type, validate)
  return validate(frame) ? undefined : ajv.errorsText(validate.errors)
}
