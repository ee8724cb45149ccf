/**
 * Before every test file: what tests write goes to memory where there is room. A database's directory has a thousand
 * files, and making them costs a disk more than the tests themselves.
 */
import { afterEach, expect } from 'bun:test'
import { existsSync, statfsSync } from 'node:fs'
import { settledMisfits } from './misfits.ts'

const MEMORY = '/dev/shm'
const ROOM = 4 * 1024 ** 3

if (process.env.TMPDIR === undefined && existsSync(MEMORY)) {
  const { bavail, bsize } = statfsSync(MEMORY)
  if (bavail * bsize > ROOM) process.env.TMPDIR = MEMORY
}

/**
 * Hashing a password takes 40 ms of a processor by design, and tests make hundreds of accounts. Servers in a test's
 * process hash with argon2id's smallest cost; those in a process of their own as everywhere.
 */
const CHEAP = { algorithm: 'argon2id', memoryCost: 8, timeCost: 1 } as const
const hash = Bun.password.hash
Bun.password.hash = (password) => hash.call(Bun.password, password, CHEAP)

/** In every test, servers may send only frames and answers that their documentation describes. */
afterEach(async () => expect(await settledMisfits()).toEqual([]))
