/** The store of a browser, with what the browser stores in place of the browser. */
import { afterEach, expect, test } from 'bun:test'
import { localStorageStore, type StoredSession } from '../../src/client/index.ts'

const SESSION: StoredSession = {
  accessToken: 'access',
  expiresAt: 1,
  refreshToken: 'refresh',
  user: { id: 'id', email: 'ada@example.com' },
}

/** Gives this process a browser's storage. */
function browserWith(storage: object) {
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true })
}
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'localStorage')
})

const storage = (kept = new Map<string, string>()) => ({
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, text: string) => kept.set(key, text),
  removeItem: (key: string) => kept.delete(key),
})

test('all tabs have what one has stored', () => {
  browserWith(storage())
  const [one, other] = [localStorageStore(), localStorageStore()]
  expect(one.load()).toBeUndefined()
  one.save(SESSION)
  expect(other.load()).toEqual(SESSION)
  other.clear()
  expect(one.load()).toBeUndefined()
})

test('a browser that refuses to store keeps the session as long as the page', async () => {
  const refuse = () => {
    throw new DOMException('refused', 'SecurityError')
  }
  browserWith({ getItem: refuse, setItem: refuse, removeItem: refuse })
  const store = localStorageStore()
  store.save(SESSION)
  expect(store.load()).toEqual(SESSION)
  expect(await store.exclusive!(async () => 'done')).toBe('done')
  store.clear()
  expect(store.load()).toBeUndefined()
})

test.each(['{', '"a text"', '{"accessToken":"of another program"}'])('%s is no session', (text) => {
  browserWith(storage(new Map([['roost.session', text]])))
  expect(localStorageStore().load()).toBeUndefined()
})
