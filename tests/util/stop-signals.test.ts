/** Which signals ask a process to stop, and which force it: `bun run` doubles a signal that its process group gets. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'

const PROGRAM = `
import { onStopSignals } from ${JSON.stringify(join(import.meta.dir, '../../src/util/stop-signals.ts'))}
onStopSignals(['SIGTERM', 'SIGINT'], (signal) => console.log('stop', signal), () => { console.log('force'); process.exit(7) })
console.log('ready')
setInterval(() => {}, 1000)
`

test('repeats of the first signal change nothing; a signal two seconds later forces the end', async () => {
  const child = Bun.spawn([process.execPath, '-e', PROGRAM], { stdout: 'pipe' })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let output = ''
  const said = async (text: string) => {
    while (!output.includes(text)) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`it ended and said only ${output}`)
      output += value
    }
  }
  await said('ready')
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) child.kill(signal)
  await said('stop SIG')
  await Bun.sleep(2100)
  expect([output.match(/stop/g)?.length, child.exitCode]).toEqual([1, null])
  child.kill('SIGINT')
  await said('force')
  expect(await child.exited).toBe(7)
})
