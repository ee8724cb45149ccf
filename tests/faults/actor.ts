/** A user who sends random requests to a server that may be killed at any moment, and remembers the answers. */
import { eventually } from '../support/process.ts'
import type { Random } from '../support/random.ts'
import { type Account, ask, listTasks, type ShownTask } from './client.ts'
import type { History } from './history.ts'

/** The pause between two checks whether all tasks have ended. */
const LOOK_MS = 500

export class Actor {
  /** Titles of tasks that were answered 201, and of those whose answer was lost, which may exist or not. */
  private readonly created: string[] = []
  readonly lost: string[] = []
  private readonly answered = { cancel: 0, retry: 0 }
  private readonly problems: string[] = []
  private readonly ids: string[] = []
  private acting = true
  private shown: ShownTask[] = []
  private readonly done: Promise<void>

  constructor(
    private readonly url: string,
    readonly account: Account,
    private readonly random: Random,
  ) {
    this.done = this.act()
  }

  /** Does nothing new, and waits until all of its tasks have ended. */
  async finish(): Promise<void> {
    this.acting = false
    await this.done
    let open: string[] = []
    await eventually(
      async () => {
        // Lists of hundreds of tasks, asked for without a pause, would take the server's time from the nodes.
        await Bun.sleep(LOOK_MS)
        this.shown = await listTasks(this.url, this.account)
        open = this.shown
          .filter(({ status }) => status === 'pending' || status === 'running')
          .map(({ id, status }) => `${id} ${status}`)
        return open.length === 0
      },
      () => `all tasks of user ${this.account.id} end; open: ${open.join(', ')}`,
      180_000,
    )
  }

  /** The differences between the answers and the rows in the database at the end. */
  problemsIn(history: History): string[] {
    const problems = this.problems.map((problem) => `user ${this.account.id}: ${problem}`)
    const note = (what: string, items: string[]) => {
      if (items.length > 0) problems.push(`user ${this.account.id}: ${what}: ${items.join(', ')}`)
    }
    const stored = history.tasks.filter(({ userId }) => userId === this.account.id)
    const titles = stored.map(({ title }) => title)
    const known = new Set([...this.created, ...this.lost])
    note('made twice', [...new Set(titles.filter((title, i) => titles.indexOf(title) !== i))])
    note(
      'answered 201 and gone',
      this.created.filter((title) => !titles.includes(title)),
    )
    note(
      'made by nobody',
      titles.filter((title) => !known.has(title)),
    )
    const statuses = new Map(this.shown.map(({ id, status }) => [id, status]))
    const differs = stored.filter(({ uuid, status }) => statuses.get(uuid) !== status)
    note(
      'shown otherwise than stored',
      differs.map(({ uuid, status }) => `${uuid} ${statuses.get(uuid)}, ${status}`),
    )

    const log = history.logs.get(this.account.id) ?? []
    const logged = {
      cancel: log.filter(({ type }) => type === 'task.cancelled').length,
      retry: log.filter(({ type, data }) => type === 'task.requeued' && JSON.parse(data).reason === 'retry')
        .length,
    }
    for (const verb of ['cancel', 'retry'] as const) {
      const missing = this.answered[verb] - logged[verb]
      if (missing > 0) note(`${verb} answered 200 and not in the log`, [String(missing)])
    }
    return problems
  }

  private async act(): Promise<void> {
    for (let n = 0; this.acting; n++) {
      await Bun.sleep(this.random.between(5, 120))
      if (this.ids.length > 0 && this.random.chance(0.45)) {
        await this.change(this.random.pick(['cancel', 'retry']), this.random.pick(this.ids))
      } else await this.create(`${this.account.id}-${n}`)
    }
  }

  private async create(title: string): Promise<void> {
    const { random } = this
    const config = {
      steps: random.between(1, 6),
      step_ms: random.between(5, 300),
      fail: random.chance(0.25),
      result_bytes: random.chance(0.2) ? random.between(1, 200_000) : 0,
    }
    const body = { title, task_type: 'test', config, priority: random.between(0, 10) }
    const reply = await ask(this.url, 'POST', '/api/tasks', { token: this.account.token, body })
    if (reply?.status === 201) {
      this.created.push(title)
      this.ids.push(reply.body.data.id)
    } else if (reply === undefined || reply.status === 503) this.lost.push(title)
    else this.problems.push(`POST ${title}: ${JSON.stringify(reply)}`)
  }

  private async change(verb: 'cancel' | 'retry', id: string): Promise<void> {
    const reply = await ask(this.url, 'POST', `/api/tasks/${id}/${verb}`, { token: this.account.token })
    if (reply?.status === 200) this.answered[verb]++
    // 409: its state forbids it.
    else if (reply && ![409, 503].includes(reply.status)) {
      this.problems.push(`${verb} ${id}: ${JSON.stringify(reply)}`)
    }
  }
}
