/**
 * The type of the app is what a typed client knows of the server. `tsc` checks the types here: every `@ts-expect-error` must
 * be an error, and `expectTypeOf` refuses `any` and `unknown`. The requests show that the server answers as the types say.
 */
import { afterAll, expect, expectTypeOf, test } from 'bun:test'
import { treaty } from '@elysiajs/eden'
import type { createApp } from '../src/app.ts'
import { makeNode, makeUser, unique } from './support/factories.ts'
import { startServer } from './support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const admin = await makeUser(server, { role: 'super_admin', balanceMinor: 100_000 })

const client = treaty<ReturnType<typeof createApp>>(server.url, {
  headers: { authorization: `Bearer ${admin.token}` },
})

test('factory: a GPU server', async () => {
  const { node } = await makeNode(server)
  const { data } = await client.api.gpu.servers({ server_id: node.uuid }).put({ draining: true })
  expectTypeOf(data!.data.id).toEqualTypeOf<string>()
  expectTypeOf(data!.data.status).toEqualTypeOf<'online' | 'offline' | 'draining'>()
  expectTypeOf(data!.data.max_concurrent_tasks).toEqualTypeOf<number>()
  expect(data!.data.id).toBe(node.uuid)
})

test('study and factory: a task', async () => {
  const title = unique('task ')
  const { data } = await client.api.tasks.post({ title, task_type: 'test' })
  expectTypeOf(data!.id).toEqualTypeOf<number>()
  expectTypeOf(data!.data.id).toEqualTypeOf<string>()
  expectTypeOf(data!.data.completed_at).toEqualTypeOf<string | null>()
  expect(data!.data.title).toBe(title)
})

test('learning: the list of materials', async () => {
  // The query's type is that of the handler, in which fields with a default are never missing.
  const query = { page: 1, page_size: 10, sort_by: 'created_at', sort_order: 'desc' } as const
  const { data } = await client.api.v1.materials.get({ query })
  expectTypeOf(data!.total).toEqualTypeOf<number>()
  expectTypeOf<NonNullable<typeof data>['items'][number]['title']>().toEqualTypeOf<string>()
  expect(data!.items).toEqual([])
})

test('runtime: an invite code', async () => {
  const { data } = await client.api.v1['invite-codes'].post({ max_uses: 3 })
  expectTypeOf(data!.code).toEqualTypeOf<string>()
  expectTypeOf(data!.max_uses).toEqualTypeOf<number | null>()
  expect(data!.max_uses).toBe(3)
})

/** Requests that must not compile. Nothing calls these functions. */
export const mistakes = [
  // @ts-expect-error a path that no route has
  () => client.api.gpu.computers.get(),
  // @ts-expect-error a method that the path does not have
  () => client.api.gpu.servers.delete(),
  // @ts-expect-error a field of another type
  () => client.api.gpu.servers({ server_id: 'x' }).put({ draining: 'yes' }),
  // @ts-expect-error a field that the model lacks
  () => client.api.tasks.post({ titel: 'a misspelt field', task_type: 'test' }),
  // @ts-expect-error an order that the model lacks
  () => client.api.v1.materials.get({ query: { page: 1, page_size: 9, sort_by: 'size', sort_order: 'asc' } }),
  // @ts-expect-error a field of another type
  () => client.api.v1['invite-codes'].post({ max_uses: 'three' }),
]
