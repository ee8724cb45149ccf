/** A user who reads rows that they know, and remembers each answer that is neither right nor 503. */
import type { Random } from '../support/random.ts'
import { type Account, ask, must } from './client.ts'

/** The limit of some queries one after the other, on a busy machine. */
const ANSWER_MS = 60_000
const PASSWORD = 'secret123'

interface Question {
  method: string
  path: string
  options: Parameters<typeof ask>[3]
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  right(body: any): boolean
}

export class Doubter {
  readonly problems: string[] = []
  /** How often each question got each status. */
  readonly counts: Record<string, number> = {}
  slowestMs = 0
  /** Title by id. */
  private readonly tasks = new Map<string, string>()
  private asking = true
  private readonly done: Promise<void>

  constructor(
    private readonly urls: string[],
    private readonly account: Account,
    private readonly random: Random,
  ) {
    this.done = this.doubt()
  }

  /** Sends no new requests, and reads everything that was acknowledged. */
  async finish(): Promise<void> {
    this.asking = false
    await this.done
    const { token } = this.account
    for (const [id, title] of this.tasks) {
      const { body } = await must(this.urls[0]!, 'GET', `/api/tasks/${id}`, { token })
      if (body.data.title !== title) this.problems.push(`task ${id} is ${body.data.title}, not ${title}`)
    }
  }

  private async doubt(): Promise<void> {
    for (let n = 0; this.asking; n++) {
      await Bun.sleep(this.random.between(1, 30))
      const [what, question] = this.random.pick(Object.entries(this.questions(`doubted ${n}`)))
      const body = await this.ask(what, question)
      if (what === 'new task' && body) this.tasks.set(body.data.id, body.data.title)
    }
  }

  private questions(title: string): Record<string, Question> {
    const { id: own, email, token } = this.account
    const signIn = { method: 'POST', path: '/api/v1/auth/login' }
    const right = { email, password: PASSWORD }
    const wrong = { email, password: 'another one' }
    // No node has this type, so nobody changes it.
    const task = { title, task_type: 'waits' }
    const questions: Record<string, Question> = {
      'sign-in': { ...signIn, options: { body: right }, status: 200, right: (body) => body.user.id === own },
      'wrong password': { ...signIn, options: { body: wrong }, status: 401, right: () => true },
      me: {
        method: 'GET',
        path: '/api/v1/auth/me',
        options: { token },
        status: 200,
        right: (body) => body.id === own && body.email === email,
      },
      'new task': {
        method: 'POST',
        path: '/api/tasks',
        options: { token, body: task },
        status: 201,
        right: ({ data }) => data.title === title,
      },
    }
    if (this.tasks.size > 0) {
      const [id, known] = this.random.pick([...this.tasks])
      questions.task = {
        method: 'GET',
        path: `/api/tasks/${id}`,
        options: { token },
        status: 200,
        right: ({ data }) => data.id === id && data.title === known,
      }
    }
    return questions
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  private async ask(what: string, { method, path, options, status, right }: Question): Promise<any> {
    const start = performance.now()
    const reply = await ask(this.random.pick(this.urls), method, path, { ...options, ms: ANSWER_MS })
    this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    const count = `${what}: ${reply?.status}`
    this.counts[count] = (this.counts[count] ?? 0) + 1
    if (reply?.status === status && right(reply.body)) return reply.body
    if (reply?.status !== 503) {
      this.problems.push(
        `user ${this.account.id}, ${what}: ${JSON.stringify(reply)?.slice(0, 300) ?? 'no answer'}`,
      )
    }
    return undefined
  }
}
