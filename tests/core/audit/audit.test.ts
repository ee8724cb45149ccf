import { afterAll, expect, test } from 'bun:test'
import { asc, eq, sql } from 'drizzle-orm'
import { audit, auditAlone, auditForeign, SERVER } from '../../../src/core/audit/audit.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { auditLog } from '../../../src/db/schema/index.ts'
import { startServer } from '../../support/server.ts'

const { ctx, stop } = await startServer()
afterAll(stop)

/** An administrator's request, whose id no other test has. */
function newActor() {
  const client = { ip: '192.0.2.7', userAgent: 'Test/1.0', requestId: crypto.randomUUID() }
  return { userId: 7, username: 'ada', client }
}
const entriesOf = ({ client }: { client: { requestId: string } }) =>
  ctx.db.select().from(auditLog).where(eq(auditLog.requestId, client.requestId)).orderBy(asc(auditLog.id))

test('an entry says who did what to which, whose it is, and from where', async () => {
  const actor = newActor()
  await transaction(ctx, async (tx) => {
    const details = { fields: ['role'], before: { role: 'user' }, after: { role: 'editor' } }
    audit(tx, actor, { action: 'user.updated', target: 12, subject: 12, details })
  })
  expect(await entriesOf(actor)).toEqual([
    {
      id: expect.any(Number),
      at: expect.any(Date),
      actorId: 7,
      actorName: 'ada',
      action: 'user.updated',
      targetType: 'user',
      targetId: '12',
      subjectId: 12,
      details: { fields: ['role'], before: { role: 'user' }, after: { role: 'editor' } },
      ip: '192.0.2.7',
      userAgent: 'Test/1.0',
      requestId: actor.client.requestId,
    },
  ])
})

test('the entries of a transaction keep their order, and a joined transaction adds to them', async () => {
  const actor = newActor()
  await transaction(ctx, async (tx) => {
    audit(tx, actor, { action: 'tag.deleted', target: 1, details: { name: 'one' } })
    await transaction(tx, async (inner) => {
      audit(inner, actor, { action: 'tag.deleted', target: 2, details: { name: 'two' } })
    })
    audit(tx, actor, { action: 'tag.deleted', target: 3, details: { name: 'three' } })
    tx.emit(1, 'user.updated', { fields: [] })
  })
  expect((await entriesOf(actor)).map(({ targetId }) => targetId)).toEqual(['1', '2', '3'])
})

test('a change that is rolled back leaves no entry', async () => {
  const actor = newActor()
  const failing = transaction(ctx, async (tx) => {
    audit(tx, actor, { action: 'node.created', target: 'x', details: { name: 'x' } })
    throw new Error('rolled back')
  })
  await expect(failing).rejects.toThrow('rolled back')
  expect(await entriesOf(actor)).toEqual([])
})

test('transactions at the same time keep their entries apart', async () => {
  const actors = Array.from({ length: 20 }, newActor)
  await Promise.all(
    actors.map((actor, n) =>
      transaction(ctx, async (tx) => {
        await tx.db.execute(sql`select 1`)
        audit(tx, actor, { action: 'tag.created', target: n, details: { name: `${n}` } })
      }),
    ),
  )
  for (const [n, actor] of actors.entries()) {
    expect((await entriesOf(actor)).map(({ targetId }) => targetId)).toEqual([`${n}`])
  }
})

test('a write to data of another user is recorded, one to own data is not', async () => {
  const actor = newActor()
  await transaction(ctx, async (tx) => {
    auditForeign(tx, actor, { action: 'task.cancelled', target: 1, subject: 7 })
    auditForeign(tx, actor, { action: 'task.cancelled', target: 2, subject: 8 })
  })
  expect((await entriesOf(actor)).map(({ targetId }) => targetId)).toEqual(['2'])
})

test('an action that changes nothing else, one without a user, and one of the server itself', async () => {
  const { client } = newActor()
  const details = { reason: 'unknown_name', name: 'h' } as const
  await auditAlone(ctx, { client }, { action: 'user.sign_in_failed', details })
  await auditAlone(ctx, SERVER, { action: 'backup.failed', details: { fileName: client.requestId } })
  const [failed] = await entriesOf({ client })
  expect(failed).toMatchObject({ actorId: null, actorName: null, targetId: null, subjectId: null, details })
  const [backup] = await ctx.db
    .select()
    .from(auditLog)
    .where(sql`${auditLog.details}->>'file_name' = ${client.requestId}`)
  expect(backup).toMatchObject({ actorId: null, ip: null, requestId: null })
})
