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
function locksAre(locks: object) {
  Object.defineProperty(navigator, 'locks', { value: locks, configurable: true })
}
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'localStorage')
  Reflect.deleteProperty(navigator, 'locks')
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

test('what could be stored again counts, and not what was kept in the meantime', () => {
  const kept = storage()
  let isFull = true
  browserWith({
    ...kept,
    setItem(key: string, text: string) {
      if (isFull) throw new DOMException('full', 'QuotaExceededError')
      return kept.setItem(key, text)
    },
  })
  const store = localStorageStore()
  store.save(SESSION)
  isFull = false
  store.save({ ...SESSION, refreshToken: 'newer' })
  expect(store.load()).toMatchObject({ refreshToken: 'newer' })
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
  locksAre({ request: async () => refuse() })
  expect(await store.exclusive!(async () => 'done')).toBe('done')
  store.clear()
  expect(store.load()).toBeUndefined()
})

test('work that fails under a lock fails once', async () => {
  locksAre({ request: async (_: string, work: () => Promise<unknown>) => work() })
  let begun = 0
  const work = async () => {
    begun++
    throw new Error('away')
  }
  await expect(localStorageStore().exclusive!(work)).rejects.toThrow('away')
  expect(begun).toBe(1)
})

test.each(['{', '"a text"', '{"accessToken":"of another program"}'])('%s is no session', (text) => {
  browserWith(storage(new Map([['roost.session', text]])))
  expect(localStorageStore().load()).toBeUndefined()
})
