/** Accounts that are created at the same time: the names that the server derives. */
import { afterAll, expect, test } from 'bun:test'
import { checkAccount, createChecked } from '../../../src/core/accounts/accounts.ts'
import type { User } from '../../../src/core/accounts/rows.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { somebodyWaits } from '../../support/locks.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
const { ctx } = server
afterAll(() => server.stop())

test('an account loses its derived name to another one, and gets the next in the same transaction', async () => {
  const account = (domain: string) =>
    checkAccount(ctx, { email: `racer@${domain}.test`, password: 'secret1' })
  const [first, second, third] = await Promise.all([account('one'), account('two'), account('three')])
  let late: Promise<User> | undefined
  await transaction(ctx, async (tx) => {
    expect((await createChecked(tx, SERVER, first)).username).toBe('racer')
    let isOver = false
    late = transaction(ctx, async (other) => {
      const user = await createChecked(other, SERVER, second)
      // The transaction around it goes on.
      await createChecked(other, SERVER, third)
      return user
    }).finally(() => {
      isOver = true
    })
    late.catch(() => {})
    while (process.env.TEST_DATABASE_URL && !isOver && !(await somebodyWaits(tx))) await Bun.sleep(5)
  })
  expect((await late!).username).toMatch(/^racer\d{5,6}$/)
})
