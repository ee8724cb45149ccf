/**
 * Before every test file: what tests write goes to memory where there is room. A database's directory has a thousand
 * files, and making them costs a disk more than the tests themselves.
 */
import { existsSync, statfsSync } from 'node:fs'

const MEMORY = '/dev/shm'
const ROOM = 4 * 1024 ** 3

if (process.env.TMPDIR === undefined && existsSync(MEMORY)) {
  const { bavail, bsize } = statfsSync(MEMORY)
  if (bavail * bsize > ROOM) process.env.TMPDIR = MEMORY
}
