/** The client's address behind proxies, and the rate limits that count by it. */
import { afterAll, describe, expect, test } from 'bun:test'
import { readConfig } from '../../src/config/index.ts'
import { addressOf } from '../../src/http/client.ts'
import { api } from '../support/api.ts'
import { unique } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const { trustedProxies } = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7, fd00::/8' })

describe('the address of a client', () => {
  test.each([
    ['203.0.113.9', null, '203.0.113.9'],
    ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['192.0.2.8', '198.51.100.1', '192.0.2.8'],
    ['192.0.2.7', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', null, '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['10.1.2.3', '10.7.7.7,10.9.9.9', '10.7.7.7'],
    ['10.1.2.3', '198.51.100.1, unknown', '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1, unknown, 10.4.4.4', '10.4.4.4'],
    ['10.1.2.3', '198.51.100.1:51423', '198.51.100.1'],
    ['10.1.2.3', '[2001:db8::1]:51423', '2001:db8::1'],
    ['fd12::1', '2001:db8::1', '2001:db8::1'],
    ['::ffff:10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
    ['::ffff:203.0.113.9', '198.51.100.1', '203.0.113.9'],
    [undefined, '198.51.100.1', 'unknown'],
  ])('a socket from %s that says %j: %s', (peer, forwardedFor, address) => {
    expect(addressOf(peer, forwardedFor, trustedProxies)).toBe(address)
  })
})

describe('limits per address', () => {
  /** Mails an hour from one address, to any recipient. */
  const LIMIT = 30
  const OK = 204
  const open = async (env: Record<string, string>) => {
    const server = await startServer({ RATE_LIMITS: 'on', ...env })
    afterAll(() => server.stop())
    return (from: string) =>
      api(server, 'POST', '/api/v1/auth/verifications/resend', {
        body: { email: `${unique('x')}@example.com` },
        headers: { 'x-forwarded-for': from },
      })
  }
  const useUp = async (ask: Awaited<ReturnType<typeof open>>) => {
    const answers = await Promise.all(Array.from({ length: LIMIT }, () => ask('198.51.100.1')))
    expect(answers.every(({ status }) => status === OK)).toBeTrue()
    expect((await ask('198.51.100.1')).status).toBe(429)
  }

  test('behind a trusted proxy each client has its own', async () => {
    const ask = await open({ TRUSTED_PROXIES: '127.0.0.1' })
    await useUp(ask)
    expect((await ask('198.51.100.2')).status).toBe(OK)
  })

  test('without one, a header that names another address helps nobody', async () => {
    const ask = await open({})
    await useUp(ask)
    expect((await ask('198.51.100.2')).status).toBe(429)
  })
})
