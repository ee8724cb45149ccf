/** Rules for the AsyncAPI document of the sockets. What servers really send is compared with it in all tests (`conformance.ts`). */
import { describe, expect, test } from 'bun:test'
import schema from '@asyncapi/specs/schemas/3.1.0.json'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import { CLOSE } from '../../../src/protocol/close-codes.ts'
import { ClientFrame } from '../../../src/protocol/live/client-frames.ts'
import { EVENTS } from '../../../src/protocol/live/events.ts'
import { ControlFrame } from '../../../src/protocol/live/server-frames.ts'
import { StateFrame, TOPIC_PATTERNS } from '../../../src/protocol/live/topics.ts'
import { NodeFrame } from '../../../src/protocol/node/node-frames.ts'
import { NodeServerFrame } from '../../../src/protocol/node/server-frames.ts'
import { documentedSockets, documentedTypes, undocumentedFrame } from '../../support/asyncapi.ts'
import { hollowApp } from '../../support/hollow.ts'

const document = documentedSockets()
const messages = Object.entries(document.channels).flatMap(([socket, channel]) =>
  Object.values(channel.messages).map((message) => ({ socket: socket as 'user' | 'node', ...message })),
)

describe('the document', () => {
  test('is valid by the schema of AsyncAPI 3.1', () => {
    const ajv = new Ajv({ strict: false, validateSchema: false, meta: false })
    addFormats(ajv)
    const validate = ajv.compile(schema)
    validate(document)
    expect(validate.errors).toBeNull()
    expect(validate({ ...document, operations: { x: { action: 'shout' } } })).toBe(false)
  })

  test('refers only to what it has', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!)
    expect(refs.length).toBeGreaterThan(200)
    for (const path of new Set(refs)) {
      const found = path.split('/').reduce((part: unknown, name) => Object(part)[name], document)
      expect(found, path).toBeObject()
    }
  })

  test('is served as it is built, and names PUBLIC_URL as its server', async () => {
    const ask = async (env: Record<string, string>) => {
      const answer = await hollowApp(env).handle(new Request('http://localhost/api/docs/live/json'))
      expect(answer.headers.get('content-type')).toBe('application/json')
      return (await answer.json()) as typeof document
    }
    expect(await ask({})).toEqual(document)
    const { servers } = await ask({ PUBLIC_URL: 'https://roost.example/api-of-ours' })
    expect(servers.roost).toMatchObject({ host: 'roost.example', pathname: '/api-of-ours', protocol: 'wss' })
  })

  test('has every frame of the code, in its direction', () => {
    const types = (union: { anyOf: { properties: { type: { const: string } } }[] }) =>
      union.anyOf.map(({ properties }) => properties.type.const)
    const toUser = new Set([...types(ControlFrame), ...Object.keys(EVENTS), ...types(StateFrame)])
    expect(documentedTypes('user', 'send')).toEqual(toUser)
    expect(documentedTypes('user', 'receive')).toEqual(new Set(types(ClientFrame)))
    expect(documentedTypes('node', 'send')).toEqual(new Set(types(NodeServerFrame)))
    expect(documentedTypes('node', 'receive')).toEqual(new Set(types(NodeFrame)))
  })

  test('has every topic and every close code', () => {
    const { user, node } = document.channels
    expect(user['x-topics']!.map(({ pattern }) => pattern)).toEqual(Object.values(TOPIC_PATTERNS))
    for (const { name, pattern } of user['x-topics']!)
      expect(name.replace(/<.*>/, '1')).toMatch(new RegExp(pattern))
    for (const channel of [user, node])
      expect(channel['x-close-codes'].map(({ code }) => code).sort()).toEqual(Object.values(CLOSE).sort())
  })
})

describe('each message', () => {
  test.each(messages.map((message) => [`${message.socket} ${message.name}`, message] as const))(
    '%s says in a sentence what it means',
    (_, { summary, payload }) => {
      expect(summary).toMatch(/^[A-Z].{10,}\.$/)
      expect(payload).toBeObject()
    },
  )

  test.each(messages.map((message) => [`${message.socket} ${message.name}`, message] as const))(
    '%s has an example from a real server, which fits it',
    (_, { socket, name, examples }) => {
      const action = documentedTypes(socket, 'send').has(name) ? 'send' : 'receive'
      expect(examples, 'bun run docs:examples records one').toHaveLength(1)
      expect(undocumentedFrame(socket, action, examples![0]!.payload)).toBeUndefined()
    },
  )

  test('may have further fields only where the server receives it', () => {
    expect(undocumentedFrame('user', 'send', { type: 'pong', at: 1 })).toBe(
      'data must NOT have additional properties',
    )
    expect(undocumentedFrame('user', 'receive', { type: 'ping', at: 1 })).toBeUndefined()
  })
})
