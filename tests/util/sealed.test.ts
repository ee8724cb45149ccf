import { expect, test } from 'bun:test'
import { createSealed } from '../../src/util/sealed.ts'

const sealed = createSealed('a secret of the server')

test('a sealed text opens for its purpose only, and with its secret only', () => {
  const text = sealed.seal('course-password', '密码 pa55')
  expect(sealed.open('course-password', text)).toBe('密码 pa55')
  expect(sealed.open('recharge-code', text)).toBeUndefined()
  expect(createSealed('another secret').open('course-password', text)).toBeUndefined()
})

test('two seals of one text differ, and neither shows the text', () => {
  const [a, b] = [sealed.seal('p', 'same'), sealed.seal('p', 'same')]
  expect(a).not.toBe(b)
  expect(Buffer.from(a, 'base64url').includes('same')).toBe(false)
})

test('a seal that was changed does not open', () => {
  const bytes = Buffer.from(sealed.seal('p', 'text'), 'base64url')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i]! ^= 1
    expect(sealed.open('p', changed.toString('base64url'))).toBeUndefined()
  }
  for (const broken of ['', 'x', 'not sealed at all']) expect(sealed.open('p', broken)).toBeUndefined()
})
