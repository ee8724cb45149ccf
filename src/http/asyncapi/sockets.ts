/** What the AsyncAPI document says of each socket: its frames come from the schemas that validate them. */
import { type TObject, Type } from '@sinclair/typebox'
import { CLOSE_MEANINGS } from '../../protocol/close-codes.ts'
import { ClientFrame, FrameId } from '../../protocol/live/client-frames.ts'
import { CONNECT_QUERY } from '../../protocol/live/connect.ts'
import { EVENTS, type EventType, eventFrame } from '../../protocol/live/events.ts'
import { ControlFrame } from '../../protocol/live/server-frames.ts'
import { StateFrame } from '../../protocol/live/topics.ts'
import { NodeFrame } from '../../protocol/node/node-frames.ts'
import { NodeServerFrame } from '../../protocol/node/server-frames.ts'

/** Frames that the server sends, under one heading. */
export interface Group {
  /** The name of the operation. */
  id: string
  title: string
  description: string
  frames: readonly TObject[]
}

export interface Socket {
  address: string
  title: string
  description: string
  /** The query of the upgrade, besides the credentials: descriptions by name. */
  query: Record<string, string>
  /** Names of the credentials. */
  security: readonly string[]
  sent: readonly Group[]
  /** Frames that the server receives. */
  received: readonly TObject[]
  /** Types of the frames that answer a received one, by its type. */
  replies: Record<string, readonly string[]>
  closings: Record<keyof typeof CLOSE_MEANINGS, string>
}

/** An entry for each frame that a client or a node sends, and only types of frames that answer it. */
type Replies<R extends { type: string }, S extends { type: string }> = Record<R['type'], readonly S['type'][]>

const USER_REPLIES: Replies<ClientFrame, ControlFrame | StateFrame> = {
  auth: ['welcome', 'error'],
  subscribe_task: ['task_update', 'error'],
  unsubscribe_task: ['unsubscribed', 'error'],
  subscribe: ['subscribed', 'error'],
  unsubscribe: ['unsubscribed', 'error'],
  ping: ['pong'],
}

const NODE_REPLIES: Replies<NodeFrame, NodeServerFrame> = {
  hello: ['welcome', 'error'],
  heartbeat: ['error'],
  accept: ['error'],
  reject: ['error'],
  progress: ['error'],
  log: ['error'],
  completed: ['ack', 'error'],
  failed: ['ack', 'error'],
}

const closingsOf = (who: 'user' | 'node') =>
  Object.fromEntries(
    Object.entries(CLOSE_MEANINGS).map(([name, meaning]) => [name, meaning[who]]),
  ) as Socket['closings']

const withId = (schema: TObject) =>
  Type.Object({ ...schema.properties, id: Type.Optional(FrameId) }, { description: schema.description! })

export const SOCKETS: Record<'user' | 'node', Socket> = {
  user: {
    address: '/ws/connect',
    title: 'The live channel',
    description: [
      'The channel of a user: an ordered, stored log of all that happened to them. Each event has a cursor. A client that',
      'connects with the last cursor that it saw gets every event after it exactly once. Sign in by token or ticket in the',
      'address, by an Authorization header, or within ten seconds by a first frame auth. The same socket is at',
      '/api/ws/connect. A client ignores types and fields that it does not know.',
    ].join(' '),
    query: CONNECT_QUERY,
    security: ['bearerAuth', 'accessTokenInQuery', 'ticket'],
    sent: [
      {
        id: 'sendControl',
        title: 'Control frames',
        description: 'Answers, and what is about the socket itself.',
        frames: ControlFrame.anyOf,
      },
      {
        id: 'sendEvents',
        title: 'Events',
        description:
          'What happened, once and in order. Texts are in the language of the upgrade’s Accept-Language.',
        frames: Object.keys(EVENTS).map((type) => eventFrame(type as EventType)),
      },
      {
        id: 'sendStates',
        title: 'States of topics',
        description:
          'How something stands that the client has subscribed to. A state has no cursor, and a client that reads slowly gets only the newest one; lines of a log and events of the agent come all, in order.',
        frames: StateFrame.anyOf,
      },
    ],
    received: ClientFrame.anyOf.map(withId),
    replies: USER_REPLIES,
    closings: closingsOf('user'),
  },
  node: {
    address: '/ws/node',
    title: 'The socket of GPU nodes',
    description: [
      'For the program on a GPU server that runs tasks. It signs in by the node token, in an Authorization header or in the',
      'address, and sends hello first. Memory is in GB, usage in percent, temperature in °C, power in W. The server leaves out',
      'a measured value that no sensor can have, and takes the rest of the frame.',
    ].join(' '),
    query: {},
    security: ['nodeToken', 'nodeTokenInQuery'],
    sent: [
      {
        id: 'sendToNode',
        title: 'Frames to a node',
        description: 'Tasks, and what becomes of them.',
        frames: NodeServerFrame.anyOf,
      },
    ],
    received: NodeFrame.anyOf,
    replies: NODE_REPLIES,
    closings: closingsOf('node'),
  },
}
