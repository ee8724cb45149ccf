/** Requests of a person to a server that may be killed at any moment. */
import { eventually } from '../support/process.ts'

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  body: any
}

const ANSWER_MS = 20_000

/**
 * One request on a connection of its own, because the HTTP client may send a request twice on a reused one.
 * @returns undefined without an answer: the server may have handled the request or not
 */
export async function ask(
  url: string,
  method: string,
  path: string,
  {
    token,
    body,
    headers,
    ms = ANSWER_MS,
  }: { token?: string; body?: unknown; headers?: Record<string, string>; ms?: number } = {},
): Promise<Reply | undefined> {
  try {
    const response = await fetch(url + path, {
      method,
      keepalive: false,
      signal: AbortSignal.timeout(ms),
      headers: {
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { status } = response
    return { status, body: status === 204 ? undefined : await response.json() }
  } catch {
    return undefined
  }
}

/** A request that has to succeed: repeated while the server does not answer or is not ready. */
export async function must(
  url: string,
  method: string,
  path: string,
  options: Parameters<typeof ask>[3] = {},
): Promise<Reply> {
  let last: Reply | undefined
  return eventually(
    async () => {
      last = await ask(url, method, path, options)
      if (last && last.status < 300) return last
      if (last && last.status < 500) throw new Error(`${method} ${path}: ${JSON.stringify(last)}`)
      return undefined
    },
    () => `${method} ${path}; last answer ${JSON.stringify(last)}`,
    30_000,
  )
}

export interface Account {
  id: number
  email: string
  token: string
}

/** A new user, signed in. */
export async function register(url: string): Promise<Account> {
  const email = `u${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}@example.com`
  const password = 'secret123'
  const registered = await must(url, 'POST', '/api/v1/auth/register', {
    body: { email, name: 'U', password },
  })
  const { body } = await must(url, 'POST', '/api/auth/login', { body: { email, password } })
  return { id: registered.body.id, email, token: body.data.access_token }
}

export async function signInAsAdmin(url: string): Promise<string> {
  const body = { email: 'admin@example.com', password: 'admin123' }
  return (await must(url, 'POST', '/api/auth/login', { body })).body.data.access_token
}

/** Registers a GPU server. @returns its token */
export async function addNode(url: string, name: string, max = 2): Promise<{ id: string; token: string }> {
  const body = { name, host: '10.0.0.1', max_concurrent_tasks: max }
  const { data } = (await must(url, 'POST', '/api/gpu/servers', { token: await signInAsAdmin(url), body }))
    .body
  return { id: data.id, token: data.node_token }
}

export interface ShownTask {
  id: string
  title: string
  status: string
  error_message: string | null
  failure_code: string | null
  progress: number
  cost: number
  result: Record<string, unknown>
}

/** @returns the new task's UUID */
export async function addTask(
  url: string,
  { token }: Account,
  config: object = {},
  title = 'task',
): Promise<string> {
  const body = { title, task_type: 'test', config }
  return (await must(url, 'POST', '/api/tasks', { token, body })).body.data.id
}

export async function showTask(url: string, { token }: Account, id: string): Promise<ShownTask> {
  return (await must(url, 'GET', `/api/tasks/${id}`, { token })).body.data
}

export async function listTasks(url: string, { token }: Account): Promise<ShownTask[]> {
  const tasks: ShownTask[] = []
  for (let page = 1; ; page++) {
    const path = `/api/tasks?page=${page}&page_size=100&sort_order=asc`
    const { data } = (await must(url, 'GET', path, { token })).body
    tasks.push(...data.items)
    if (page >= data.total_pages) return tasks
  }
}

/** Waits until the task is in one of these states. */
export async function taskReaches(
  url: string,
  account: Account,
  id: string,
  statuses: string[],
  ms = 30_000,
): Promise<ShownTask> {
  let last: ShownTask | undefined
  return eventually(
    async () => {
      const reply = await ask(url, 'GET', `/api/tasks/${id}`, { token: account.token })
      if (reply?.status !== 200) return undefined
      last = reply.body.data as ShownTask
      return statuses.includes(last.status) ? last : undefined
    },
    () => `task ${id} becomes ${statuses.join(' or ')}; it is ${JSON.stringify(last)}`,
    ms,
  )
}
