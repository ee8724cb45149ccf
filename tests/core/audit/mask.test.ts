/** The guard behind the callers of `audit`: what it stores of details that a caller should not have named. */
import { expect, test } from 'bun:test'
import { masked } from '../../../src/core/audit/mask.ts'

test('secrets are masked by the names of their fields, at any depth', () => {
  const secrets = {
    password: 'a',
    newPassword: 'b',
    current_password: 'c',
    passwordHash: 'd',
    accessToken: 'e',
    'refresh-token': 'f',
    secret: 'g',
    webhookSecret: ['h', 'i'],
    apiKey: 'j',
    'X-API-Key': 'k',
    Authorization: 'l',
    cookie: { session: 'm' },
    credentials: 'n',
    signature: 'o',
    nodeToken: 1234,
  }
  const values = (object: object): unknown[] => Object.values(object)
  expect(values(masked(secrets)).flat()).toEqual(Object.keys(secrets).map(() => '[masked]'))
  expect(masked({ before: { title: 'x', token: 'y' } })).toEqual({
    before: { title: 'x', token: '[masked]' },
  })
})

test("the server's own secrets and JWTs are masked in whatever field they are", () => {
  for (const secret of [
    `rt_${'a'.repeat(43)}`,
    `node_${'b'.repeat(43)}`,
    `cal_${'c'.repeat(43)}`,
    `whsec_${'d'.repeat(32)}=`,
    `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${'e'.repeat(43)}`,
  ]) {
    expect(masked({ title: `my ${secret}`, fields: [secret] })).toEqual({
      title: '[masked]',
      fields: ['[masked]'],
    })
  }
})

test('an email keeps its first letter and domain, a URL its host', () => {
  expect(masked({ email: 'ada@example.com', emails: ['bo@example.org', '@', 'nothing'] })).toEqual({
    email: 'a***@example.com',
    emails: ['b***@example.org', '[masked]', '[masked]'],
  })
  expect(masked({ title: 'see https://u:p@example.com/a/b?sig=1#c and ftp://x now' })).toEqual({
    title: 'see example.com/… and x/… now',
  })
})

test('what is long, deep or not storable is cut', () => {
  const details = masked({
    title: `${'x'.repeat(400)}`,
    photos: Array.from({ length: 2000 }, (_, n) => n),
    a: { b: { c: { d: { e: 1 } } } },
    name: 'zero \0 and half \ud800',
    missing: undefined,
  }) as Record<string, unknown>
  expect(details.title).toHaveLength(300)
  expect(details.photos).toHaveLength(1000)
  expect(details.a).toEqual({ b: { c: { d: '[masked]' } } })
  expect(details.name).toBe('zero \ufffd and half \ufffd')
  expect(details).not.toHaveProperty('missing')
})

test('plain values stay, with names in snake_case', () => {
  const details = {
    isActive: false,
    maxUses: null,
    values: [1, 'tag'],
    hostName: 'example.com',
    fields: ['password'],
  }
  expect(masked(details)).toEqual({
    is_active: false,
    max_uses: null,
    values: [1, 'tag'],
    host_name: 'example.com',
    fields: ['password'],
  })
})
