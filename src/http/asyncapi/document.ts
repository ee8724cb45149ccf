/** The AsyncAPI document of both sockets. */
import type { TObject } from '@sinclair/typebox'
import { version } from '../../../package.json'
import { CLOSE } from '../../protocol/close-codes.ts'
import recorded from '../../protocol/examples.json'
import { TOPIC_PATTERNS, TOPICS } from '../../protocol/live/topics.ts'
import { pascal } from '../openapi/operation-id.ts'
import { type JsonSchema, SchemaPool } from '../openapi/schemas.ts'
import { SECURITY_SCHEMES } from '../openapi/security-schemes.ts'
import { SOCKETS, type Socket } from './sockets.ts'

interface Reference {
  $ref: string
}

export interface Message {
  name: string
  title: string
  summary: string
  payload: JsonSchema
  examples?: { payload: Record<string, unknown> }[]
}

export interface Channel {
  address: string
  title: string
  description: string
  messages: Record<string, Message>
  bindings: { ws: { method: 'GET'; query?: JsonSchema; bindingVersion: string } }
  'x-close-codes': { code: number; name: string; description: string }[]
  'x-topics'?: { name: string; pattern: string; description: string; messages: Reference[] }[]
}

export interface Operation {
  /** Of the server: `send` is what it sends. */
  action: 'send' | 'receive'
  title: string
  summary: string
  channel: Reference
  messages: Reference[]
  security: Reference[]
  reply?: { channel: Reference; messages: Reference[] }
}

export interface AsyncApiDocument {
  asyncapi: string
  info: { title: string; version: string; description: string }
  defaultContentType: string
  servers: Record<string, { host: string; pathname?: string; protocol: string; description: string }>
  channels: Record<keyof typeof SOCKETS, Channel>
  operations: Record<string, Operation>
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, object> }
}

const { bearerAuth, accessTokenInQuery, ticket, nodeToken } = SECURITY_SCHEMES
/** AsyncAPI has another name for a credential in the address. */
const SOCKET_SCHEMES = {
  bearerAuth,
  accessTokenInQuery: {
    ...accessTokenInQuery,
    type: 'httpApiKey',
    description: 'The same in the address: browsers can’t add a header to an upgrade.',
  },
  ticket: { ...ticket, type: 'httpApiKey' },
  nodeToken,
  nodeTokenInQuery: {
    ...accessTokenInQuery,
    type: 'httpApiKey',
    description: 'The same in the address.',
  },
}

/** The prefix of the names of a socket's schemas. */
const PREFIXES: Record<keyof typeof SOCKETS, string> = { user: '', node: 'Node' }

/** @param publicUrl the address under which clients know the server */
export function asyncApiDocument(publicUrl = 'http://localhost:8000'): AsyncApiDocument {
  const pool = new SchemaPool()
  const sockets = Object.entries(SOCKETS) as [keyof typeof SOCKETS, Socket][]
  const channels = sockets.map(([name, socket]) => [name, channelOf(name, socket, pool)])
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Roost: the live channel, and the socket of GPU nodes',
      version,
      description: 'JSON text frames over WebSocket, each an object with a type. Protocol version 1.',
    },
    defaultContentType: 'application/json',
    servers: { roost: serverAt(new URL(publicUrl)) },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(sockets.flatMap(([name, socket]) => operationsOf(name, socket))),
    components: { schemas: pool.schemas, securitySchemes: SOCKET_SCHEMES },
  }
}

function serverAt({ host, protocol, pathname }: URL): AsyncApiDocument['servers'][string] {
  return {
    host,
    ...(pathname !== '/' && { pathname }),
    protocol: protocol === 'https:' ? 'wss' : 'ws',
    description: 'This server',
  }
}

function channelOf(name: keyof typeof SOCKETS, socket: Socket, pool: SchemaPool): Channel {
  const query = Object.entries(socket.query)
  return {
    address: socket.address,
    title: socket.title,
    description: socket.description,
    messages: messagesOf(name, socket, pool),
    bindings: {
      ws: {
        method: 'GET',
        ...(query.length > 0 && {
          query: {
            type: 'object',
            properties: Object.fromEntries(
              query.map(([key, description]) => [key, { type: 'string', description }]),
            ),
          },
        }),
        bindingVersion: '0.1.0',
      },
    },
    'x-close-codes': Object.entries(CLOSE)
      .map(([key, code]) => ({ code, name: key, description: socket.closings[key as keyof typeof CLOSE] }))
      .sort((a, b) => a.code - b.code),
    ...(name === 'user' && { 'x-topics': topics() }),
  }
}

const topics = () =>
  Object.entries(TOPICS).map(([kind, { name, description, frames }]) => ({
    name,
    pattern: TOPIC_PATTERNS[kind as keyof typeof TOPICS],
    description,
    messages: frames.map((type) => messageIn('user', type)),
  }))

function messagesOf(name: keyof typeof SOCKETS, socket: Socket, pool: SchemaPool): Record<string, Message> {
  const frames = [...socket.received, ...socket.sent.flatMap(({ frames }) => frames)]
  const examples: Record<string, Record<string, unknown> | undefined> = recorded[name]
  const byType = Map.groupBy(frames, ({ properties }) => properties.type!.const as string)
  return Object.fromEntries(
    [...byType].map(([type, schemas]) => {
      const place = `${PREFIXES[name]}${pascal(type)}${type.includes('.') ? 'Event' : 'Frame'}`
      const payloads = schemas.map((schema, n) =>
        pool.add(undescribed(schema), n === 0 ? place : `Other${place}`),
      )
      const example = examples[type]
      const message: Message = {
        name: type,
        title: type,
        summary: schemas[0]!.description!,
        payload: payloads.length === 1 ? payloads[0]! : { anyOf: payloads },
        ...(example && { examples: [{ payload: example }] }),
      }
      return [type, message]
    }),
  )
}

/** The message has the description. Without it, types with the same fields share a schema. */
function undescribed({ description: _, ...schema }: TObject): JsonSchema {
  return schema
}

const messageIn = (name: string, type: string): Reference => ({ $ref: `#/channels/${name}/messages/${type}` })

function operationsOf(name: keyof typeof SOCKETS, socket: Socket): [string, Operation][] {
  const channel = { $ref: `#/channels/${name}` }
  const security = socket.security.map((scheme) => ({ $ref: `#/components/securitySchemes/${scheme}` }))
  const sent = socket.sent.map(({ id, title, description, frames }): [string, Operation] => {
    const types = new Set(frames.map(({ properties }) => properties.type!.const as string))
    const messages = [...types].map((type) => messageIn(name, type))
    return [id, { action: 'send', title, summary: description, channel, messages, security }]
  })
  const received = socket.received.map(({ properties, description }): [string, Operation] => {
    const type = properties.type!.const as string
    const replies = socket.replies[type]!.map((reply) => messageIn(name, reply))
    const operation: Operation = {
      action: 'receive',
      title: type,
      summary: description!,
      channel,
      messages: [messageIn(name, type)],
      security,
      reply: { channel, messages: replies },
    }
    return [`receive${PREFIXES[name]}${pascal(type)}`, operation]
  })
  return [...sent, ...received]
}
