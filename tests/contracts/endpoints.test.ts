/**
 * Every endpoint of the five documents, by document and chapter: each is mounted, and its documented request gets the documented
 * status and every documented field. What the answers mean is tested elsewhere.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { mountedRoutes } from '../support/described.ts'
import { startServer } from '../support/server.ts'
import { misfits } from '../support/shapes.ts'
import { openLive } from '../support/sockets.ts'
import { type Chapters, type Endpoint, Scene } from './endpoints/endpoint.ts'
import { factory } from './endpoints/factory.ts'
import { learning } from './endpoints/learning.ts'
import { portfolio } from './endpoints/portfolio.ts'
import { runtime } from './endpoints/runtime.ts'
import { study } from './endpoints/study.ts'

const DOCUMENTS = { learning, portfolio, study, runtime, factory }
/** How many endpoints each document has. */
const COUNTS = { learning: 19, portfolio: 55, study: 29, runtime: 20, factory: 29 }

const server = await startServer()
afterAll(() => server.stop())

const endpointsOf = (chapters: Chapters): Endpoint[] => Object.values(chapters).flat()
/** Method and path, with `*` for parameters. */
const keyOf = (method: string, path: string) => `${method} ${path.replace(/[{:]\w+\}?/g, '*')}`
const mounted = new Set(mountedRoutes().map(({ method, path }) => keyOf(method, path)))
const exercised = new Set<string>()

test('the list has every endpoint of each document once', () => {
  for (const [name, chapters] of Object.entries(DOCUMENTS)) {
    const requests = endpointsOf(chapters).map(({ request }) => request.replace(/\?.*/, ''))
    expect(new Set(requests).size, name).toBe(COUNTS[name as keyof typeof COUNTS])
    expect(requests.length, name).toBe(COUNTS[name as keyof typeof COUNTS])
  }
  expect(Object.values(COUNTS).reduce((sum, n) => sum + n)).toBe(152)
})

for (const [name, chapters] of Object.entries(DOCUMENTS)) {
  const scene = Scene.open(server)
  describe.each(Object.entries(chapters))(`${name}: %s`, (_, endpoints) => {
    test.each(endpoints.map((endpoint) => [endpoint.request, endpoint] as const))(
      '%s',
      async (request, endpoint) => {
        const [method = '', path = ''] = request.replace(/\?.*/, '').split(' ')
        if (method === 'WS') {
          await watchTask(await scene, path)
        } else {
          expect(mounted.has(keyOf(method, path)), 'is mounted').toBe(true)
          const answer = await (await scene).send(endpoint)
          const { status, shape, after } = endpoint
          expect(answer.status, answer.text.slice(0, 500)).toBe(status)
          if (shape === 'nothing') expect(answer.text).toBe('')
          else if (shape !== 'lines') expect(misfits(answer.body, shape)).toEqual([])
          after?.(await scene, answer.body)
        }
        exercised.add(`${name} ${request}`)
      },
    )
  })
}

/** The documented frames of the live channel, both ways. */
async function watchTask({ user, as }: Scene, path: string): Promise<void> {
  for (const base of ['', '/api']) expect(mounted.has(keyOf('GET', base + path)), base).toBe(true)
  const { id } = (await as(user, 'POST', '/api/tasks', { title: 'a', task_type: 'test' })).body
  const socket = await openLive(server, user.token)
  socket.send({ type: 'subscribe_task', task_id: id })
  const frame = await socket.next('task_update')
  socket.close()
  const data = {
    progress: 'number',
    current_item: 'string',
    item_progress: 'number',
    item_current_time: 'number',
    item_total_time: 'number',
  }
  expect(misfits(frame, { type: 'string', task_id: 'integer', data })).toEqual([])
}

test('all of them have been exercised', () => {
  const all = Object.entries(DOCUMENTS).flatMap(([name, chapters]) =>
    endpointsOf(chapters).map(({ request }) => `${name} ${request}`),
  )
  expect(all.filter((one) => !exercised.has(one))).toEqual([])
})
