/** Users take turns for thumbnails: many files of one user, broken ones too, do not delay those of another. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { makeUser } from '../../support/factories.ts'
import { form, mp4, pdf, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

const send = async (token: string, name: string, file: Uint8Array<ArrayBuffer>) => {
  const answer = await upload(server, token, form(['title', name], ['file', file, name]))
  expect(answer.status, await answer.clone().text()).toBe(201)
  return ((await answer.json()) as { id: number }).id
}

const waitingOf = async (userId: number): Promise<number> => {
  const [row] = await query(
    server,
    sql`select count(*)::int as waiting from materials where user_id = ${userId} and thumbnail_status = 'pending'`,
  )
  return row!.waiting as number
}

describe.each([
  ['broken videos', 'broken.mp4', () => mp4(12_000), 'failed'],
  ['documents', 'fine.pdf', () => pdf(), 'completed'],
] as const)('%s of one user', (_, name, file, ending) => {
  test('another user’s file is next', async () => {
    const [many, other] = [await makeUser(server), await makeUser(server)]
    for (let i = 0; i < 10; i++) await send(many.token, name, file())
    const waitingBefore = await waitingOf(many.user.id)
    const id = await send(other.token, 'mine.pdf', pdf())
    await eventually(async () => (await waitingOf(other.user.id)) === 0, 'the other’s thumbnail', 60_000)
    const made = waitingBefore - (await waitingOf(many.user.id))
    // The thumbnail in progress, and the one that was next.
    expect(made).toBeLessThanOrEqual(3)
    const [row] = await query(server, sql`select thumbnail_status from materials where id = ${id}`)
    expect(row!.thumbnail_status).toBe('completed')
    // Every thumbnail is made in the end.
    await eventually(async () => (await waitingOf(many.user.id)) === 0, 'all the others', 120_000)
    const rest = await query(
      server,
      sql`select distinct thumbnail_status as ending from materials where user_id = ${many.user.id}`,
    )
    expect(rest).toEqual([{ ending }])
  }, 200_000)
})
