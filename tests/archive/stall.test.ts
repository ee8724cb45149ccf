/** Protects docs/operations.md, "Backup": a backup whose output or input hangs ends, so that servers delete files again. */
import { expect, test } from 'bun:test'
import { watched } from '../../src/archive/stall.ts'
import { untilAborted } from '../../src/util/until-aborted.ts'

const LIMIT_MS = 20
const aborted = (signal: AbortSignal) =>
  new Promise<Error>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))

async function* chunksThen(last: Promise<unknown>) {
  yield new Uint8Array([1])
  await last
}
const never = new Promise<never>(() => {})

test('a reader that takes no chunk any more, and a source that has none, are told apart', async () => {
  const unread = watched(chunksThen(Promise.resolve()), LIMIT_MS)
  await unread.chunks.next()
  expect((await aborted(unread.stalled)).message).toContain('The output took no bytes')

  const dry = watched(chunksThen(never), LIMIT_MS)
  await dry.chunks.next()
  void dry.chunks.next()
  expect((await aborted(dry.stalled)).message).toContain('gave no bytes')
})

test('work that hangs is left when its signal is aborted, and work that ends has its own result', async () => {
  const stop = AbortSignal.abort(new Error('stopped'))
  await expect(untilAborted(never, stop)).rejects.toThrow('stopped')
  expect(
    await untilAborted(
      Bun.sleep(1).then(() => 'in order'),
      stop,
    ),
  ).toBe('in order')
  await expect(untilAborted(Promise.reject(new Error('its own')), stop)).rejects.toThrow('its own')
})
