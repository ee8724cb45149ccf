/**
 * Records examples for the documentation from what servers send in tests, when RECORD_EXAMPLES is set: `bun run docs:examples`.
 * An example that fits stays; another one replaces it only when a schema has changed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const isRecording = process.env.RECORD_EXAMPLES !== undefined
/** Longer ones would hide the documentation around them. */
const MAX_LENGTH = 1200
const MAX_TEXT = 120
/** Fields whose values a scanner of the repository would take for leaked secrets. */
const SECRET = /token$|password|secret|ticket$|^code$/
/** The `code` of an error is no secret. */
const ERROR_CODE = /^[A-Z_]+$/

type Recorded = Record<string, unknown>

/** Examples of one file, by name. */
export class Examples {
  private readonly path: string
  /** How much an example that this process has recorded shows. */
  private readonly worth = new Map<string, number>()

  /** @param file from the root of the repository; an object of objects */
  constructor(file: string) {
    this.path = join(import.meta.dir, '../..', file)
  }

  /** @param fits whether an example is still one that the documentation describes */
  record(group: string, name: string, value: unknown, fits: (example: unknown) => boolean): void {
    if (!isRecording) return
    const shown = withoutSecrets(value)
    const worth = worthOf(shown)
    const known = this.worth.get(`${group} ${name}`)
    if (worth === 0 || !fits(shown) || (known !== undefined && known >= worth)) return
    const all = JSON.parse(readFileSync(this.path, 'utf8')) as Record<string, Recorded>
    const old = all[group]?.[name]
    if (known === undefined && old !== undefined && fits(old))
      return void this.worth.set(`${group} ${name}`, Infinity)
    this.worth.set(`${group} ${name}`, worth)
    all[group] = sorted({ ...all[group], [name]: shown })
    writeFileSync(this.path, `${JSON.stringify(all, null, 2)}\n`)
  }
}

const sorted = (record: Recorded): Recorded =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

/** More values show more. 0: too long. */
function worthOf(value: unknown): number {
  const text = JSON.stringify(value)
  if (text.length > MAX_LENGTH) return 0
  const leaves = leavesOf(value)
  return leaves.some((leaf) => typeof leaf === 'string' && leaf.length > MAX_TEXT) ? 0 : 1 + leaves.length
}

const leavesOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(leavesOf)
    : value === null || value === ''
      ? []
      : [value]

function withoutSecrets(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutSecrets(part, key)]))
  return typeof value === 'string' && value.length > 12 && SECRET.test(name) && !ERROR_CODE.test(value)
    ? `${value.slice(0, 4)}…`
    : value
}
