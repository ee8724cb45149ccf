import { afterAll, describe, expect, test } from 'bun:test'
import {
  EgressError,
  type EgressOptions,
  egressRequest,
  type ResolvedAddress,
} from '../../src/util/egress.ts'
import { isPublicAddress } from '../../src/util/public-address.ts'

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const url = new URL(request.url)
    switch (url.pathname) {
      case '/echo':
        return Response.json({
          method: request.method,
          host: request.headers.get('host'),
          authorization: request.headers.get('authorization'),
          contentType: request.headers.get('content-type'),
          body: await request.text(),
        })
      case '/redirect':
        return new Response('moved', {
          status: Number(url.searchParams.get('status') ?? 302),
          headers: { location: url.searchParams.get('to') ?? '' },
        })
      case '/endless':
        return new Response(
          new ReadableStream({
            async pull(controller) {
              controller.enqueue(new Uint8Array(16 * 1024))
              await Bun.sleep(1)
            },
          }),
        )
      case '/sized':
        return new Response(new Uint8Array(2000))
      case '/hang':
        await Bun.sleep(5000)
        return new Response('late')
      default:
        return new Response('not here', { status: 404 })
    }
  },
})
afterAll(() => server.stop(true))

const local = (path: string) => `http://127.0.0.1:${server.port}${path}`
const named = (path: string) => `http://named.example:${server.port}${path}`
const resolvesTo =
  (...addresses: string[]) =>
  async (): Promise<ResolvedAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

async function codeOf(url: string, options?: EgressOptions): Promise<string> {
  try {
    const response = await egressRequest(url, options)
    await new Response(response.body).bytes()
    return `status ${response.status}`
  } catch (error) {
    if (error instanceof EgressError) return error.code
    throw error
  }
}

const json = async (url: string, options?: EgressOptions) => {
  const { body } = await egressRequest(url, { allowPrivate: true, ...options })
  return (await new Response(body).json()) as Record<string, string | null>
}

describe('addresses', () => {
  const refused = `0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::8.8.8.8
    64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 fec0::1 ff02::1 not-an-address`
  const allowed = `1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.20.0.1 223.255.255.255
    2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1`
  test.each(refused.split(/\s+/))('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
  test.each(allowed.split(/\s+/))('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('refused before anything is sent', () => {
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::]/',
    'http://0/',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost/',
  ])('%s', async (url) => {
    expect(await codeOf(url)).toBe('BLOCKED_ADDRESS')
  })

  test.each(['ftp://example.com/', 'file:///etc/passwd', 'gopher://example.com/', 'nonsense', 'http://', ''])(
    'not http(s): %p',
    async (url) => {
      expect(await codeOf(url, { allowPrivate: true })).toBe('BAD_URL')
    },
  )

  test('credentials in the URL', async () => {
    expect(await codeOf('http://user:secret@example.com/')).toBe('BAD_URL')
  })

  test('a name with a private address among its addresses', async () => {
    expect(await codeOf(named('/echo'), { resolve: resolvesTo('10.1.2.3') })).toBe('BLOCKED_ADDRESS')
    expect(await codeOf(named('/echo'), { resolve: resolvesTo('8.8.8.8', '127.0.0.1') })).toBe(
      'BLOCKED_ADDRESS',
    )
    expect(await codeOf(named('/echo'), { resolve: resolvesTo('::ffff:127.0.0.1') })).toBe('BLOCKED_ADDRESS')
  })

  test('a name that does not resolve', async () => {
    expect(await codeOf(named('/echo'), { resolve: resolvesTo() })).toBe('DNS_FAILED')
    expect(await codeOf(named('/echo'), { resolve: () => Promise.reject(new Error('SERVFAIL')) })).toBe(
      'DNS_FAILED',
    )
  })
})

describe('pinning', () => {
  test('the name is resolved once, the connection goes to the checked address, Host stays the name', async () => {
    let lookups = 0
    const resolve = async () => {
      lookups++
      return resolvesTo(lookups === 1 ? '127.0.0.1' : '127.0.0.66')()
    }
    const echo = await json(named('/echo'), { resolve })
    expect(echo.host).toBe(`named.example:${server.port}`)
    expect(lookups).toBe(1)
  })

  test('no connection is reused for a later request', async () => {
    await json(named('/echo'), { resolve: resolvesTo('127.0.0.1') })
    const elsewhere = { allowPrivate: true, resolve: resolvesTo('127.0.0.66') }
    expect(await codeOf(named('/echo'), elsewhere)).toBe('CONNECTION_FAILED')
  })
})

describe('redirects', () => {
  test('are handed to the caller unless asked for', async () => {
    const response = await egressRequest(local(`/redirect?to=/echo`), { allowPrivate: true })
    expect(response.status).toBe(302)
    await response.body.cancel()
  })

  test('are checked anew at every hop', async () => {
    for (const to of [
      'http://second.example/',
      'http://169.254.169.254/',
      'http://[::1]/',
      'http://127.0.0.1/',
    ]) {
      let checks = 0
      const options: EgressOptions = {
        maxRedirects: 3,
        resolve: async (host) => resolvesTo(host === 'second.example' ? '10.0.0.1' : '127.0.0.1')(),
        // The first hop stands for a public server, so only its address passes the check.
        get allowPrivate() {
          return checks++ === 0
        },
      }
      expect(await codeOf(named(`/redirect?to=${encodeURIComponent(to)}`), options)).toBe('BLOCKED_ADDRESS')
      expect(checks).toBe(2)
    }
  })

  test('to another scheme are refused', async () => {
    const options = { allowPrivate: true, maxRedirects: 3 }
    expect(await codeOf(local('/redirect?to=file:///etc/passwd'), options)).toBe('BAD_URL')
    expect(await codeOf(local('/redirect?to=http://user:pw@127.0.0.1/'), options)).toBe('BAD_URL')
  })

  test('are counted', async () => {
    const twice = local(`/redirect?to=${encodeURIComponent('/redirect?to=/echo')}`)
    expect(await codeOf(twice, { allowPrivate: true, maxRedirects: 2 })).toBe('status 200')
    expect(await codeOf(twice, { allowPrivate: true, maxRedirects: 1 })).toBe('TOO_MANY_REDIRECTS')
    expect(await codeOf(local('/redirect?to='), { allowPrivate: true, maxRedirects: 5 })).toBe(
      'TOO_MANY_REDIRECTS',
    )
  })

  test('keep method and body where HTTP says so, and credentials only on the same origin', async () => {
    const post = {
      method: 'POST',
      body: 'payload',
      headers: { Authorization: 'Bearer x', 'Content-Type': 'text/plain' },
      maxRedirects: 1,
    }
    expect(await json(local('/redirect?status=307&to=/echo'), post)).toMatchObject({
      method: 'POST',
      body: 'payload',
      authorization: 'Bearer x',
      contentType: 'text/plain',
    })
    expect(await json(local('/redirect?status=303&to=/echo'), post)).toMatchObject({
      method: 'GET',
      body: '',
      contentType: null,
    })
    const elsewhere = `/redirect?status=307&to=${encodeURIComponent(local('/echo'))}`
    const crossed = await json(named(elsewhere), { ...post, resolve: resolvesTo('127.0.0.1') })
    expect(crossed).toMatchObject({ method: 'POST', authorization: null })
  })
})

describe('limits', () => {
  const limits = { allowPrivate: true, maxBytes: 1000 }
  test('a body that says it is too large is refused, one that does not say is cut off', async () => {
    expect(await codeOf(local('/sized'), limits)).toBe('TOO_LARGE')
    expect(await codeOf(local('/sized'), { ...limits, maxBytes: 2000 })).toBe('status 200')
    expect(await codeOf(local('/endless'), { ...limits, maxBytes: 100_000 })).toBe('TOO_LARGE')
  })

  test('the clock covers waiting, reading and DNS', async () => {
    const hurried = { allowPrivate: true, timeoutMs: 150, maxBytes: 1e9 }
    expect(await codeOf(local('/hang'), hurried)).toBe('TIMEOUT')
    expect(await codeOf(local('/endless'), hurried)).toBe('TIMEOUT')
    expect(await codeOf(named('/echo'), { ...hurried, resolve: () => new Promise(() => {}) })).toBe('TIMEOUT')
  })

  test('a request that was stopped before it began ends at once, also while DNS does not answer', async () => {
    const resolve = () => new Promise<never>(() => {})
    expect(await codeOf(named('/echo'), { resolve, signal: AbortSignal.abort() })).toBe('ABORTED')
  })

  test('an answer that nobody reads is dropped', async () => {
    const { body } = await egressRequest(local('/endless'), { allowPrivate: true, timeoutMs: 1500 })
    await Bun.sleep(1600)
    await expect(new Response(body).bytes()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('nobody listening, and a port of another protocol', async () => {
    expect(await codeOf('http://127.0.0.1:2/', { allowPrivate: true })).toBe('CONNECTION_FAILED')
    expect(await codeOf('http://127.0.0.1:25/', { allowPrivate: true })).toBe('BAD_URL')
  })

  test('an error status is an answer', async () => {
    expect(await codeOf(local('/nothing'), { allowPrivate: true })).toBe('status 404')
  })
})
