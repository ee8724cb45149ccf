import { Redis } from 'ioredis'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import type { Bus } from './bus.ts'
import { LocalBus, STATE_TTL_MS } from './local.ts'

/** How long a start waits for Redis, in ms. */
const START_MS = 4000

/** Errors of a start, as the operator reads them. */
const REASONS: [pattern: RegExp, reason: string][] = [
  [/ECONNREFUSED/, 'nothing listens at its host and port'],
  [/ENOTFOUND|EAI_AGAIN|ENODATA/, 'its host name does not resolve'],
  [/ETIMEDOUT|timed out/, 'it does not answer'],
  [/NOAUTH/, 'it requires a password'],
  [/WRONGPASS|invalid password|AUTH .*without any password/, 'the user name or password is wrong'],
  [/NOPERM/, 'the user may not do what Roost needs'],
  [/LOADING/, 'it is still loading its data'],
  [/RESP/, 'the server at its host and port is not Redis'],
  [/EPIPE|ECONNRESET|closed/, 'it closes the connection'],
]

/** Without the URL, because it contains a password. */
function reasonOf(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return REASONS.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1] ?? (message || 'unknown error')
}

type Message =
  /** `channel` is the hint's name and `hint` its payload, because servers of an older version use these fields. */
  | { from: string; channel: string; hint: unknown }
  | { from: string; state: string; value: object | undefined }

// Scripts, so that a server that is killed between two commands leaves no counter without an expiry.
const INCREMENT = `local n = tonumber(redis.call('get', KEYS[1]) or 0) + 1
if n <= tonumber(ARGV[2]) then redis.call('incr', KEYS[1]) end
if n == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {n, redis.call('pttl', KEYS[1])}`
const DECREMENT = `if redis.call('exists', KEYS[1]) == 1 and redis.call('decr', KEYS[1]) <= 0 then
  redis.call('del', KEYS[1])
end`

/**
 * The bus of several servers, over Redis. While Redis does not answer, publishing reaches this server only: the others
 * find the changes when they poll the database.
 * @throws StartupError when Redis does not answer at start
 */
export async function createRedisBus(
  url: string,
  epoch: string,
  log: Logger,
  stateTtlMs = STATE_TTL_MS,
): Promise<Bus> {
  // The epoch keeps apart the servers of several databases that share one Redis.
  const prefix = `roost:${epoch}:`
  const messages = `${prefix}messages`
  const local = new LocalBus(log, stateTtlMs)
  const self = crypto.randomUUID()
  const gapHandlers: (() => void)[] = []
  const options = {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => 500,
    connectTimeout: 5000,
    // A Redis that hangs counts as absent after this time, because sign-ins wait for its rate limits.
    commandTimeout: 1000,
  }
  const commands = new Redis(url, { ...options, enableOfflineQueue: false })
  const subscriber = new Redis(url, options)

  let away = false
  let starting = true
  /** The first error of the start. Later ones only say that the connection is closed. */
  let startFault: Error | undefined
  for (const client of [commands, subscriber]) {
    client.on('error', (error: Error) => {
      if (starting) startFault ??= error
      else if (!away)
        log.warn({ reason: error.message }, 'Redis is away; other servers hear of changes by polling')
      away = true
    })
  }
  subscriber.on('ready', () => {
    if (away) for (const handler of gapHandlers) handler()
    away = false
  })
  subscriber.on('message', (_channel: string, text: string) => {
    const message = JSON.parse(text) as Message
    if (message.from === self) return
    if ('state' in message) local.setState(message.state, message.value)
    else local.deliver(message.channel, message.hint)
  })
  const timer = setTimeout(() => {
    startFault ??= new Error('it does not answer')
    commands.disconnect()
    subscriber.disconnect()
  }, START_MS)
  try {
    await Promise.all([commands.connect(), subscriber.connect()])
    await subscriber.subscribe(messages)
    for await (const keys of commands.scanStream({ match: `${prefix}state:*`, count: 500 })) {
      if (keys.length === 0) continue
      const texts = await commands.mget(keys)
      for (const [i, text] of texts.entries()) {
        if (text) local.setState(keys[i].slice(`${prefix}state:`.length), JSON.parse(text))
      }
    }
  } catch (error) {
    local.close()
    commands.disconnect()
    subscriber.disconnect()
    throw new StartupError(`The Redis in REDIS_URL can't be used: ${reasonOf(startFault ?? error)}.`)
  } finally {
    clearTimeout(timer)
    starting = false
  }

  const tell = (message: Message) => {
    commands.publish(messages, JSON.stringify(message)).catch(() => {})
  }
  return {
    kind: 'redis',
    publish({ name }, payload) {
      local.deliver(name, payload)
      tell({ from: self, channel: name, hint: payload })
    },
    subscribe: (hint, handler) => local.subscribe(hint, handler),
    setState(key, value) {
      local.setState(key, value)
      tell({ from: self, state: key, value })
      const stored: Promise<unknown> = value
        ? commands.set(`${prefix}state:${key}`, JSON.stringify(value), 'PX', stateTtlMs)
        : commands.del(`${prefix}state:${key}`)
      stored.catch(() => {})
    },
    getState: (key) => local.getState(key),
    stateAge: (key) => local.stateAge(key),
    onState: (handler) => local.stateHandlers.push(handler),
    async put(key, value, ttlMs) {
      await commands.set(prefix + key, value, 'PX', ttlMs).catch(unavailable)
    },
    async take(key) {
      return (await commands.getdel(prefix + key).catch(unavailable)) ?? undefined
    },
    async increment(key, windowMs, max) {
      const answer = await commands.eval(INCREMENT, 1, prefix + key, windowMs, max)
      const [count, resetMs] = answer as [number, number]
      return { count, resetMs }
    },
    async decrement(key) {
      await commands.eval(DECREMENT, 1, prefix + key)
    },
    onGap: (handler) => gapHandlers.push(handler),
    async ping() {
      const start = performance.now()
      await commands.ping()
      return performance.now() - start
    },
    async close() {
      local.close()
      commands.disconnect()
      subscriber.disconnect()
    },
  }
}

/** With a code that marks the error as temporary. */
function unavailable(cause: unknown): never {
  throw Object.assign(new Error('Redis is away', { cause }), { code: 'ECONNREFUSED' })
}
