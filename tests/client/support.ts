import {
  type AnyLiveEvent,
  type ConnectOptions,
  connect,
  type LiveClient,
  type Status,
} from '../../src/client/index.ts'
import { TIMING, type Timing } from '../../src/client/options.ts'
import { checkFrame } from '../support/conformance.ts'
import { makeNode, makeTask, type TestUser, unique } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import type { TestServer } from '../support/server.ts'
import { openNode } from '../support/sockets.ts'

/** Delays that a person would not notice either, and that a test can wait for. */
const QUICK: Timing = {
  ...TIMING,
  backoffMs: 50,
  backoffCapMs: 500,
  graceMs: 200,
  saveMs: 5,
  probeMs: [300],
  pollMs: 50,
}

export interface TestClient extends Disposable {
  live: LiveClient
  events: AnyLiveEvent[]
  statuses: Status[]
  errors: unknown[]
  /** Sockets that have opened. */
  opened: number
  /** Frames that the client has sent. */
  sent: string[]
  reaches(status: Status): Promise<void>
  /** Waits until the handler of all events has had this one. */
  reachesSeq(seq: number): Promise<void>
}

export const seqOf = (cursor: string | undefined): number => Number(cursor?.split('.')[1])

type Connect = (options: ConnectOptions, timing: Timing) => LiveClient

/** A client that remembers what it got. */
export function openClient(
  options: ConnectOptions,
  timing: Partial<Timing> = {},
  open: Connect = connect,
): TestClient {
  const client: Omit<TestClient, 'live'> = {
    events: [],
    statuses: [],
    errors: [],
    opened: 0,
    sent: [],
    reaches: (status) =>
      eventually(
        () => live.status === status,
        () => `the client is ${status}; it was ${client.statuses.join(', ')}`,
      ).then(() => {}),
    reachesSeq: (seq) =>
      eventually(
        () => seqOf(client.events.at(-1)?.cursor) >= seq,
        () => `event ${seq}; it has ${client.events.map(({ cursor }) => seqOf(cursor)).slice(-20)}`,
      ).then(() => {}),
    [Symbol.dispose]: () => live.close(),
  }
  const Base = (options.WebSocket ?? WebSocket) as typeof WebSocket
  class Socket extends Base {
    constructor(url: string) {
      super(url)
      this.addEventListener('open', () => client.opened++)
      this.addEventListener('message', ({ data }) => checkFrame(url, JSON.parse(String(data))))
    }

    override send(text: string) {
      client.sent.push(text)
      super.send(text)
    }
  }
  const live = open(
    { onError: (error) => void client.errors.push(error), ...options, WebSocket: Socket as never },
    { ...QUICK, ...timing },
  )
  live.onStatus((status) => void client.statuses.push(status))
  live.on('*', (event) => void client.events.push(event))
  return Object.assign(client, { live })
}

/** A task that runs on a node of its own, which the test plays. */
export async function startTask(server: TestServer, owner: TestUser) {
  const taskType = unique('type')
  const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [taskType] })
  await makeTask(server, owner, { taskType })
  const { task_id, attempt } = await node.next('assign')
  const lease = { task_id, attempt }
  node.send({ type: 'accept', ...lease })
  return { node, lease }
}

/** A task that fails with a text of the server, which it has in both languages. */
export async function failTask(server: TestServer, owner: TestUser): Promise<void> {
  const { node, lease } = await startTask(server, owner)
  node.send({ type: 'failed', ...lease, error: 'x', code: 'exited', exit_code: 3 })
  await node.next('ack')
  node.close()
}
