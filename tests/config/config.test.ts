import { describe, expect, test } from 'bun:test'
import { ConfigError } from '../../src/config/env.ts'
import { readConfig } from '../../src/config/index.ts'

const COMPLETE = {
  S3_BUCKET: 'roost',
  S3_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG',
}

/** The message of the error, or undefined when there is none. */
function mistakes(env: Record<string, string>): string | undefined {
  try {
    readConfig(env)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
}

describe('S3_*', () => {
  test('without any of them files are kept on disk; empty ones count as unset', () => {
    expect(readConfig({}).s3).toBeUndefined()
    expect(readConfig({ S3_BUCKET: '', S3_ENDPOINT: ' ' }).s3).toBeUndefined()
  })

  test('a bucket and its key are enough', () => {
    expect(readConfig(COMPLETE).s3).toEqual({
      endpoint: undefined,
      region: 'us-east-1',
      bucket: 'roost',
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
      publicUrl: undefined,
    })
  })

  test('all of them', () => {
    const env = {
      ...COMPLETE,
      S3_ENDPOINT: 'http://minio:9000/',
      S3_REGION: 'eu-central-1',
      S3_PUBLIC_URL: 'https://cdn.example.com/roost//',
    }
    expect(readConfig(env).s3).toMatchObject({
      endpoint: 'http://minio:9000',
      region: 'eu-central-1',
      publicUrl: 'https://cdn.example.com/roost',
    })
  })

  test.each(Object.keys(COMPLETE))('%s is required as soon as any is set, and named', (name) => {
    const message = mistakes({ ...COMPLETE, [name]: '' })
    expect(message).toContain(`${name} is required`)
    expect(message!.match(/required/g)).toHaveLength(1)
  })

  test('every mistake is in the one message, without what was set', () => {
    const message = mistakes({
      S3_ENDPOINT: 'minio:9000',
      S3_PUBLIC_URL: 'ftp://cdn.example.com',
      S3_BUCKET: 'Not_A_Bucket',
      S3_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
      PORT: 'eighty',
    })
    for (const name of ['S3_ENDPOINT', 'S3_PUBLIC_URL', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'PORT']) {
      expect(message).toContain(name)
    }
    expect(message).not.toContain('wJalrXUtnFEMI')
  })
})

describe('mail', () => {
  test('the sender is an address, with a name or without', () => {
    for (const from of ['no-reply@localhost', 'Roost <no-reply@example.com>', '"Roost, Inc." <a@b>']) {
      expect(readConfig({ MAIL_FROM: from }).mailFrom).toBe(from)
    }
    for (const from of ['Roost', 'Roost <no-reply>', '<a@b> Roost', 'a b@c']) {
      expect(mistakes({ MAIL_FROM: from })).toContain('MAIL_FROM')
    }
  })

  test('the server is an smtp or smtps URL, whose password is never quoted', () => {
    expect(readConfig({ SMTP_URL: 'smtps://user:pw@mail.example.com' }).smtpUrl).toBeString()
    const message = mistakes({ SMTP_URL: 'https://user:S3cret@mail.example.com' })
    expect(message).toContain('SMTP_URL')
    expect(message).not.toContain('S3cret')
  })
})

describe('TRUSTED_PROXIES', () => {
  test('takes addresses and ranges of both families; none is trusted by default', () => {
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' })
    expect(trustedProxies.check('10.1.2.3', 'ipv4')).toBeTrue()
    expect(trustedProxies.check('11.1.2.3', 'ipv4')).toBeFalse()
    expect(trustedProxies.check('::1', 'ipv6')).toBeTrue()
    expect(readConfig({}).trustedProxies.check('127.0.0.1', 'ipv4')).toBeFalse()
  })

  test.each(['proxy.example.com', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0', '10.0.0.0/8 ::1', '/8'])(
    '%s is a mistake',
    (value) => {
      expect(mistakes({ TRUSTED_PROXIES: value })).toContain('TRUSTED_PROXIES')
    },
  )
})

describe('contradictions between parts', () => {
  test('production needs a secret of its own', () => {
    expect(mistakes({ NODE_ENV: 'production' })).toContain('JWT_SECRET is required')
    expect(mistakes({ NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32) })).toBeUndefined()
  })

  test('the administrator’s password is as long as every other one', () => {
    const ADMIN_PASSWORD = 'secret1234'
    expect(mistakes({ ADMIN_PASSWORD, PASSWORD_MIN_LENGTH: '11' })).toContain('at least 11 characters')
    expect(mistakes({ ADMIN_PASSWORD, PASSWORD_MIN_LENGTH: '10' })).toBeUndefined()
  })

  test('are in the one message with the other mistakes', () => {
    const message = mistakes({ NODE_ENV: 'production', PORT: 'eighty', LOG_LEVEL: 'loud' })
    for (const name of ['JWT_SECRET', 'PORT', 'LOG_LEVEL']) expect(message).toContain(`- ${name} `)
  })
})

describe('REQUEST_LIMITS', () => {
  test('changes the classes that it names', () => {
    const { requestLimits } = readConfig({ REQUEST_LIMITS: 'general=5000/3600, search=1/86400' })
    expect(requestLimits).toMatchObject({
      general: { max: 5000, seconds: 3600 },
      search: { max: 1, seconds: 86_400 },
      auth: { max: 5, seconds: 60 },
    })
  })

  test.each([
    'general',
    'general=5',
    'general=0/60',
    'general=5/0',
    'general=5/86401',
    'other=5/60',
    'toString=5/60',
  ])('%s is a mistake', (value) => {
    expect(mistakes({ REQUEST_LIMITS: value })).toContain('REQUEST_LIMITS must list limits like')
  })
})
