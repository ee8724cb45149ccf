/** A small outside provider of courses, as an operator of Roost would run one: docs/course-provider.md. */
export interface OutsideItem {
  id: string
  name: string
  kind: 'video' | 'document'
  duration: number
  open: boolean
}

export interface OutsideCourse {
  id: string
  name: string
  teacher?: string
  duration?: number
  progress?: number
  items: OutsideItem[]
}

export interface Asked {
  path: string
  /** Of the URL, which must never name an account. */
  search: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  body: any
}

export class CourseServer {
  readonly courses: OutsideCourse[] = []
  /** Passwords by username. */
  readonly accounts = new Map<string, string>()
  readonly asked: Asked[] = []
  /** Answers in place of the server when it returns something. */
  instead: (asked: Asked) => Response | Promise<Response> | undefined = () => undefined

  private readonly server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const { pathname: path, search } = new URL(request.url)
      const asked = { path, search, body: await request.json() }
      this.asked.push(asked)
      return (await this.instead(asked)) ?? this.answer(asked)
    },
  })

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/provider`
  }

  private answer({ path, body }: Asked): Response {
    const { username, password } = body.account
    if (this.accounts.get(username) !== password) return new Response(null, { status: 401 })
    if (path === '/provider/list') {
      return Response.json({ courses: this.courses.map(({ items: _, ...course }) => course) })
    }
    const course = this.courses.find(({ id }) => id === body.course_id)
    if (!course) return new Response(null, { status: 404 })
    if (path === '/provider/course') return Response.json(course)
    if (path === '/provider/items') {
      const items = course.items.filter(({ id }) => body.item_ids.includes(id))
      return Response.json({ items: items.map(({ id, open, duration }) => ({ id, open, duration })) })
    }
    return new Response(null, { status: path === '/provider/progress' ? 204 : 404 })
  }

  stop(): Promise<void> {
    return this.server.stop(true)
  }
}
