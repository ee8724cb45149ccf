/**
 * A program of a developer who has only the OpenAPI document. Its types are generated from the document, by
 * ../typescript-client.slow.test.ts, which also checks and runs it. Each `@ts-expect-error` shows that no type is `any`.
 */
import createClient from 'openapi-fetch'
import type { components, paths } from 'roost-api'

export async function useRoost(baseUrl: string, name: string) {
  const client = createClient<paths>({ baseUrl })
  const email = `${name}@example.com`
  const registered = await client.POST('/api/auth/register', {
    body: { email, username: name, password: 'password123', full_name: 'Typed Client' },
  })
  if (!registered.data) throw new Error(`register: ${registered.error.error_code} ${registered.error.detail}`)
  const session: components['schemas']['Registered'] = registered.data.data
  client.use({
    onRequest({ request }) {
      request.headers.set('authorization', `Bearer ${session.access_token}`)
      return request
    },
  })

  const created = await client.POST('/api/tasks', {
    body: { title: 'typed', task_type: 'test', priority: 3, config: { steps: 2 } },
  })
  if (!created.data) throw new Error(`create: ${created.error.error_code}`)
  const uuid: string = created.data.data.id
  const id: number = created.data.id
  const priority: number = created.data.data.priority
  const startedAt: string | null = created.data.started_at

  // Parameters with a default may be left out, and enumerations are unions.
  const all = await client.GET('/api/tasks')
  const pending = await client.GET('/api/tasks', {
    params: { query: { status: 'pending', sort_by: 'priority', page_size: 10 } },
  })
  if (!all.data || !pending.data) throw new Error('list')
  const status: 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled' | undefined =
    pending.data.data.items[0]?.status

  const cancelled = await client.POST('/api/tasks/{id}/cancel', { params: { path: { id: uuid } } })
  const again = await client.POST('/api/tasks/{id}/cancel', { params: { path: { id: uuid } } })

  const materials = await client.GET('/api/v1/materials', { params: { query: { sort_by: 'view_count' } } })
  if (!materials.data) throw new Error(`materials: ${materials.error.error.code}`)
  const item = await client.POST('/api/v1/schedule-items', {
    body: { title: 'typed', start_at: '2030-01-15T09:00:00Z', metadata: { location: 'here' } },
  })
  if (!item.data) throw new Error(`schedule: ${item.error.detail}`)

  const file = new File(['%PDF-1.4 no more of it'], 'a.pdf', { type: 'application/pdf' })
  const upload = await client.POST('/api/v1/upload', {
    body: { file: file as unknown as string, title: 'typed' },
    bodySerializer({ title }) {
      const form = new FormData()
      form.set('title', title)
      form.set('file', file)
      return form
    },
  })

  return {
    id,
    uuid,
    priority,
    startedAt,
    status,
    total: all.data.total,
    cancelled: cancelled.data?.data.status,
    conflict: again.error?.error_code,
    materials: materials.data.items.map((material) => material.file_url),
    itemStatus: item.data.status,
    uploadStatus: upload.response.status,
  }
}

/** Calls that the compiler must refuse. Nothing calls this function. */
export async function misuse(baseUrl: string) {
  const client = createClient<paths>({ baseUrl })
  // @ts-expect-error no such path
  await client.GET('/api/nothing')
  // @ts-expect-error no such status
  await client.GET('/api/tasks', { params: { query: { status: 'paws' } } })
  // @ts-expect-error a number is wanted
  await client.POST('/api/tasks', { body: { title: 'x', task_type: 'test', priority: '3' } })
  // @ts-expect-error the password is missing
  await client.POST('/api/v1/auth/login', { body: { email: 'a@example.com' } })
  const { data } = await client.GET('/api/users/me')
  // @ts-expect-error no such field
  data?.data.password
  // @ts-expect-error money is a number
  const balance: string | undefined = data?.data.balance
  return balance
}
