/**
 * Compares all that servers send on sockets, every event that they write, and what they accept from clients and nodes with
 * the AsyncAPI document that they publish. `preload.ts` fails the test after which a misfit is found.
 */

import { NodeConnection } from '../../src/live/node/connection.ts'
import { parseClientFrame } from '../../src/live/user/client-frames.ts'
import { Connection } from '../../src/live/user/connection.ts'
import { formatCursor } from '../../src/protocol/live/cursor.ts'
import { nodeFrameProblem } from '../../src/protocol/node/node-frames.ts'
import { type SocketName, undocumentedFrame } from './asyncapi.ts'
import { Examples } from './examples.ts'
import { protocolMisfits } from './misfits.ts'
import { noteFrame } from './seen.ts'

/** The document calls a cursor opaque. */
const CURSOR = /^[0-9a-z]+\.\d{1,15}$/

/** @param url of the socket on which a server sent the frame */
export function checkFrame(url: string, frame: unknown): void {
  checkSent(new URL(url).pathname === '/ws/node' ? 'node' : 'user', frame)
}

/** @param event as the log holds it */
export function checkEvent(
  event: { type: string; data: string; at: string; seq: number },
  epoch: string,
): void {
  const { type, data, at, seq } = event
  checkSent('user', { type, cursor: formatCursor(epoch, seq), at, data: JSON.parse(data) })
}

export function checkSent(socket: SocketName, frame: unknown): void {
  const { cursor } = Object(frame) as { cursor?: string }
  const problem =
    undocumentedFrame(socket, 'send', frame) ??
    (cursor === undefined || CURSOR.test(cursor) ? undefined : 'no cursor')
  if (problem !== undefined) report(socket, problem, frame)
  else example(socket, 'send', frame)
}

/**
 * The document and the server must agree on whether a frame of a client or a node fits.
 * @returns the type of a frame that the server accepts
 */
export function checkReceived(socket: SocketName, text: string): string | undefined {
  const accepted = socket === 'node' ? isNodeFrame(text) : isClientFrame(text)
  if (accepted === undefined) return undefined
  const frame = JSON.parse(text)
  const problem = undocumentedFrame(socket, 'receive', frame)
  if (accepted && problem !== undefined) report(socket, problem, frame)
  if (!accepted && problem === undefined) report(socket, 'the server refuses a frame that fits', frame)
  if (!accepted) return undefined
  example(socket, 'receive', frame)
  return frame.type
}

/** Undefined for what is no frame at all, and for an `id` that the server ignores. */
function isClientFrame(text: string): boolean | undefined {
  const read = parseClientFrame(text)
  if ('malformed' in read) return undefined
  const { id } = JSON.parse(text)
  return id === undefined || typeof id === 'string' || typeof id === 'number'
    ? !('problem' in read)
    : undefined
}

function isNodeFrame(text: string): boolean | undefined {
  try {
    return nodeFrameProblem(JSON.parse(text)) === undefined
  } catch {
    return undefined
  }
}

const examples = new Examples('src/protocol/examples.json')
const example = (socket: SocketName, action: 'send' | 'receive', frame: unknown) =>
  examples.record(
    socket,
    (frame as { type: string }).type,
    frame,
    (one) => undocumentedFrame(socket, action, one) === undefined,
  )

function report(socket: SocketName, problem: string, frame: unknown): void {
  protocolMisfits.push(`${socket}: ${problem}: ${JSON.stringify(frame).slice(0, 500)}`)
}

/** Checks and notes every frame of the sockets of servers in this process, whoever the client is. */
function watch(): void {
  const { write, message } = Connection.prototype
  Connection.prototype.write = function (text) {
    sent('user', JSON.parse(text))
    return write.call(this, text)
  }
  Connection.prototype.message = function (ws, data) {
    if (typeof data === 'string') received('user', data)
    return message.call(this, ws, data)
  }
  const node = { send: NodeConnection.prototype.send, message: NodeConnection.prototype.message }
  NodeConnection.prototype.send = function (frame) {
    sent('node', JSON.parse(JSON.stringify(frame)))
    return node.send.call(this, frame)
  }
  NodeConnection.prototype.message = function (ws, data) {
    received('node', String(data))
    return node.message.call(this, ws, data)
  }
}
watch()

function sent(socket: SocketName, frame: { type: string }): void {
  checkSent(socket, frame)
  noteFrame(socket, 'send', frame.type)
}

function received(socket: SocketName, text: string): void {
  const type = checkReceived(socket, text)
  if (type !== undefined) noteFrame(socket, 'receive', type)
}
