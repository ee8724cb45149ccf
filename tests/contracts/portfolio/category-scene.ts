/** A server with users, and requests about categories. Before each test there is no category. */
import { beforeEach, expect } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { startServer, write } from '../../support/server.ts'

export interface Fields {
  name?: string
  slug?: string
  parent_id?: number | null
  sort_order?: number
  is_active?: boolean
  is_featured?: boolean
}

export async function openCategoryScene() {
  const server = await startServer()
  beforeEach(async () => {
    await write(server, sql`truncate categories cascade`)
  })
  const api = describedApi(server)
  const [admin, editor, visitor] = await Promise.all([
    makeUser(server, { role: 'admin' }),
    makeUser(server, { role: 'editor' }),
    makeUser(server),
  ])
  const post = (body: object) => api('POST', '/v1/categories', { token: admin.token, body })
  const put = (id: number, body: object) => api('PUT', `/v1/categories/${id}`, { token: admin.token, body })
  const show = (id: number, viewer?: TestUser) => api('GET', `/v1/categories/${id}`, { token: viewer?.token })
  const list = (viewer?: TestUser, search = '') =>
    api('GET', `/v1/categories${search}`, { token: viewer?.token })

  async function make(fields: Fields = {}): Promise<number> {
    const answer = await post({ name: unique('Category '), ...fields })
    expect(answer.status, answer.text).toBe(201)
    return answer.body.data.id
  }
  /** A chain of categories, each below the one before. */
  async function chain(length: number): Promise<number[]> {
    const ids: number[] = []
    for (let n = 0; n < length; n++) ids.push(await make({ parent_id: ids.at(-1) ?? null }))
    return ids
  }
  return { server, api, admin, editor, visitor, post, put, show, list, make, chain }
}
