/** A server with users, and requests about photos. */
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory } from '../../../src/core/categories/changes.ts'
import { photoFiles } from '../../../src/db/schema/index.ts'
import { type Answer, type Ask, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { fileRow } from '../../support/photos.ts'
import { startServer } from '../../support/server.ts'

/** The client of the database. `unsafe` sends every statement that is outside of transactions. */
export interface Client {
  unsafe(...statement: unknown[]): unknown
  begin(...args: unknown[]): unknown
}

export async function openPhotoScene() {
  const server = await startServer()
  const { ctx } = server
  const { $client: client } = ctx.db as unknown as { $client: Client }
  const [owner, other, admin, reader] = await Promise.all([
    makeUser(server, { role: 'editor' }),
    makeUser(server, { role: 'editor' }),
    makeUser(server, { role: 'admin' }),
    makeUser(server),
  ])
  const get = (path: string, user?: TestUser, headers: Record<string, string> = {}) =>
    api(server, 'GET', path, { token: user?.token, headers })
  const send = (method: string, path: string, user: TestUser, body: unknown, ask: Ask = {}) =>
    api(server, method, path, { token: user.token, body, ...ask })
  const makeFile = async (user: TestUser, values: Partial<typeof photoFiles.$inferInsert> = {}) => {
    const [file] = await ctx.db
      .insert(photoFiles)
      .values({ ...fileRow(user.user.id), ...values })
      .returning()
    return { ...file!, fileId: `upload_${file!.id}` }
  }
  const create = async (user: TestUser, body: object = {}) => {
    const file = await makeFile(user)
    return send('POST', '/v1/photos', user, { title: unique('Photo '), file_id: file.fileId, ...body })
  }
  const makeCategory = (parent?: { id: number }) =>
    createCategory(ctx, SERVER, { name: unique('c'), parentId: parent?.id })
  return { server, ctx, client, owner, other, admin, reader, get, send, makeFile, create, makeCategory }
}

export const idsOf = (answer: Answer): number[] => answer.body.data.map(({ id }: { id: number }) => id)
