/** REST of the five contracts through Eden, with the server's own types. */
import { treaty } from '@elysiajs/eden/treaty2'
import type { Factory, Learning, Portfolio, Runtime, Study } from '#contracts'
import { type AuthorizedFetch, authorizedFetch, type RestOptions } from './authorized.ts'
import { errorOf, unanswered } from './error.ts'
import type { Answer, Tree } from './tree.ts'
import { baseOf } from './url.ts'

/** The routes of each contract under its base URL. */
export interface Rest {
  /** `/api/v1` of the learning contract. */
  learning: Tree<Learning>
  /** `/v1`. */
  portfolio: Tree<Portfolio>
  /** `/api` of the study contract. */
  study: Tree<Study>
  /** `/api/v1` of the runtime contract. */
  runtime: Tree<Runtime>
  /** `/api` of the factory contract. */
  factory: Tree<Factory>
  /** For what no tree can do: streams, and requests that report their progress. */
  fetch: AuthorizedFetch
}

/** REST as the user whose token it is. */
export function rest(options: RestOptions): Rest {
  const send = authorizedFetch(options)
  const root = baseOf(options.url)
  const under = (base: string) =>
    tree(
      treaty(root + base, {
        fetcher: send as typeof fetch,
        // A time stays the text that the types say it is.
        parseDate: false,
        onResponse: read,
      }) as unknown as EdenNode,
    ) as never
  return {
    learning: under('/api/v1'),
    portfolio: under('/v1'),
    study: under('/api'),
    runtime: under('/api/v1'),
    factory: under('/api'),
    fetch: send,
  }
}

/** The data of an answer. Throws the error of a call that failed. */
export async function dataOf<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error } = await call
  if (error) throw error
  return data as T
}

interface EdenNode {
  (...args: unknown[]): unknown
  [segment: string]: EdenNode
}

interface EdenAnswer {
  data: unknown
  error: { value: unknown } | null
  /** Undefined when no answer came. */
  response: Response | undefined
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete']

/**
 * Eden's tree of routes, with parameters encoded and answers of one form. Whoever shows or awaits a tree reads symbols and `then`
 * of it, which are no segments.
 */
const tree = (node: EdenNode, segment = ''): unknown =>
  new Proxy(() => {}, {
    get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : tree(node[name]!, name)),
    apply: (_, __, [first, second]: unknown[]) => {
      if (!METHODS.includes(segment)) return tree(node(encoded(first as Record<string, string>)) as EdenNode)
      return segment === 'get' || segment === 'head'
        ? answerOf(node(callOptions(first)))
        : answerOf(
            isRaw(first) ? node(undefined, callOptions(second, first)) : node(first, callOptions(second)),
          )
    },
  })

/** Eden puts a parameter into the path as it is. */
const encoded = (parameter: Record<string, string | number>) =>
  Object.fromEntries(Object.entries(parameter).map(([name, value]) => [name, encodeURIComponent(value)]))

/** Bodies that Eden would write as JSON. */
const isRaw = (body: unknown) => body instanceof FormData || body instanceof Blob

const callOptions = (options: unknown, body?: unknown) => {
  const { signal, ...others } = (options ?? {}) as { signal?: AbortSignal }
  return { ...others, fetch: { ...(signal && { signal }), ...(body !== undefined && { body }) } }
}

/** Eden knows one type of JSON, and reads any other body as text. */
async function read(answer: Response): Promise<unknown> {
  if (answer.headers.get('content-length') === '0' || answer.status === 204) return undefined
  const type = answer.headers.get('content-type') ?? ''
  return /^application\/([\w.]+\+)?json\b/.test(type) ? answer.json() : answer.blob()
}

async function answerOf(call: unknown): Promise<Answer<unknown>> {
  // Eden rejects when a body breaks off or is no JSON.
  const { data, error, response } = await (call as Promise<EdenAnswer>).catch(broken)
  if (!response) return { data: null, error: unanswered(error?.value), status: 0, headers: new Headers() }
  const { ok, status, headers } = response
  return ok
    ? { data: data === '' ? undefined : data, error: null, status, headers }
    : { data: null, error: errorOf(status, data, headers), status, headers }
}

const broken = (value: unknown): EdenAnswer => ({ data: null, error: { value }, response: undefined })
