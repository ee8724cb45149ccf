import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StartupError } from '../util/startup-error.ts'

interface Stored {
  adminPassword: string
  userPassword: string
  /** Of the nodes, by name. */
  tokens: Record<string, string>
  done: string[]
}

const FILE = 'demo.json'

/** What the demo remembers from one start to the next: passwords, tokens, and what it has made already. */
export class State {
  private constructor(
    readonly directory: string,
    private readonly stored: Stored,
  ) {}

  /** @throws StartupError when the directory has data of something else */
  static open(directory: string, fresh: boolean): State {
    const place = resolve(directory)
    const file = join(place, FILE)
    const isDemo = existsSync(file)
    if (!isDemo && existsSync(place) && readdirSync(place).length > 0) {
      throw new StartupError(`${place} has files that are not of a demo. Name another directory.`)
    }
    if (isDemo && fresh) rmSync(place, { recursive: true })
    if (isDemo && !fresh) return new State(place, JSON.parse(readFileSync(file, 'utf8')))
    mkdirSync(place, { recursive: true, mode: 0o700 })
    const state = new State(place, {
      adminPassword: password(),
      userPassword: password(),
      tokens: {},
      done: [],
    })
    state.save()
    return state
  }

  get adminPassword(): string {
    return this.stored.adminPassword
  }

  get userPassword(): string {
    return this.stored.userPassword
  }

  tokenOf = (node: string): string | undefined => this.stored.tokens[node]

  keepToken(node: string, token: string): void {
    this.stored.tokens[node] = token
    this.save()
  }

  /** Makes something unless an earlier start has made it. */
  async once(name: string, make: () => Promise<unknown>): Promise<void> {
    if (this.stored.done.includes(name)) return
    await make()
    this.stored.done.push(name)
    this.save()
  }

  private save(): void {
    const file = join(this.directory, FILE)
    writeFileSync(`${file}.new`, JSON.stringify(this.stored, null, 2), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

const password = () => randomBytes(9).toString('base64url')
