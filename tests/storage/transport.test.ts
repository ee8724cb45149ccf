import { afterAll, describe, expect, test } from 'bun:test'
import { createTransport } from '../../src/storage/s3/transport.ts'

interface Handler {
  handle(
    request: object,
    options?: { abortSignal?: AbortSignal },
  ): Promise<{
    response: { statusCode: number; headers: Record<string, string>; body: ReadableStream<Uint8Array> }
  }>
}

const IDLE_MS = 300
const { handle } = createTransport(IDLE_MS) as unknown as Handler
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  )

const CHUNK = new Uint8Array(64 * 1024)
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(request) {
    const { pathname, search } = new URL(request.url)
    if (pathname === '/silent') await new Promise(() => {})
    if (pathname === '/redirect') return Response.redirect('http://127.0.0.1:1/')
    if (pathname === '/length') {
      const { byteLength } = await request.arrayBuffer()
      return Response.json({ byteLength, announced: request.headers.get('content-length') })
    }
    if (pathname === '/query') return new Response(search)
    let sent = 0
    const stalls = pathname === '/stalls'
    return new Response(
      new ReadableStream({
        async pull(controller) {
          if (stalls && sent === 4) await new Promise(() => {})
          if (sent++ === 64) return controller.close()
          controller.enqueue(CHUNK)
        },
      }),
    )
  },
})
/** Accepts connections and reads nothing. */
const deaf = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: { open: (socket) => void socket.pause(), data() {} },
})
afterAll(() => {
  server.stop(true)
  deaf.stop(true)
})

const request = (path: string, rest: object = {}) => ({
  protocol: 'http:',
  hostname: '127.0.0.1',
  port: server.port,
  path,
  method: 'GET',
  headers: {},
  ...rest,
})
const upload = (size: number, rest: object = {}) => ({
  method: 'PUT',
  body: new Uint8Array(size),
  headers: { 'content-length': String(size) },
  ...rest,
})

describe('a request', () => {
  test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])(
    'of %d bytes says its length and is all sent',
    async (size) => {
      const { response } = await handle(request('/length', upload(size)))
      expect(await new Response(response.body).json()).toEqual({ byteLength: size, announced: String(size) })
    },
  )

  test('escapes its query, follows no redirect', async () => {
    const { response } = await handle(
      request('/query', { query: { uploads: '', prefix: "a b/课'(1)!*", x: ['1', '2'] } }),
    )
    expect(await new Response(response.body).text()).toBe(
      '?uploads=&prefix=a%20b%2F%E8%AF%BE%27%281%29%21%2A&x=1&x=2',
    )
    expect((await handle(request('/redirect'))).response.statusCode).toBe(302)
  })

  test('that nobody answers ends, for another try', async () => {
    expect(await failure(handle(request('/silent')))).toMatchObject({ name: 'TimeoutError' })
  })

  test('whose body nobody takes ends', async () => {
    const error = await failure(handle(request('/', { ...upload(64_000_000), port: deaf.port })))
    expect(error).toMatchObject({ name: 'TimeoutError' })
  })

  test('to nobody fails so that it is tried again', async () => {
    expect(await failure(handle(request('/', { port: 1 })))).toMatchObject({ code: 'ECONNRESET' })
  })

  test('can be aborted before and while it waits', async () => {
    expect(await failure(handle(request('/silent'), { abortSignal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    })
    const abortSignal = AbortSignal.timeout(50)
    expect(await failure(handle(request('/silent'), { abortSignal }))).toMatchObject({ name: 'AbortError' })
  })
})

describe('an answer', () => {
  test('that stalls ends with an error', async () => {
    const { response } = await handle(request('/stalls'))
    expect(await failure(new Response(response.body).bytes())).toMatchObject({ name: 'TimeoutError' })
  })

  test('may be read as slowly as one likes', async () => {
    const { response } = await handle(request('/whole'))
    const reader = response.body.getReader()
    let size = (await reader.read()).value!.byteLength
    await Bun.sleep(3 * IDLE_MS)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      size += value.byteLength
    }
    expect(size).toBe(64 * CHUNK.byteLength)
  })
})
