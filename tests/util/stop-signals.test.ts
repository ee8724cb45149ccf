/** Which signals ask a process to stop, and which force it: `bun run` doubles a signal that its process group gets. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'

const PROGRAM = `
import { onStopSignals } from ${JSON.stringify(join(import.meta.dir, '../../src/util/stop-signals.ts'))}
onStopSignals(['SIGTERM', 'SIGINT', 'SIGHUP'], (signal) => console.log('stop', signal), () => { console.log('force'); process.exit(7) })
console.log('ready')
setInterval(() => {}, 1000)
`

const SHOWS = 'process.on("SIGUSR1", () => console.log("still here"))\n'

test('repeats of the first signal change nothing; a signal two seconds later forces the end', async () => {
  const { child, said, output } = start([process.execPath, '-e', PROGRAM])
  await said('ready')
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) child.kill(signal)
  await said('stop SIG')
  await Bun.sleep(2100)
  expect([output().match(/stop/g)?.length, child.exitCode]).toEqual([1, null])
  child.kill('SIGINT')
  await said('force')
  expect(await child.exited).toBe(7)
})

test('a terminal that closes stops it, unless it was started with nohup', async () => {
  const plain = start([process.execPath, '-e', PROGRAM])
  await plain.said('ready')
  plain.child.kill('SIGHUP')
  await plain.said('stop SIGHUP')
  plain.child.kill('SIGKILL')

  const kept = start(['nohup', process.execPath, '-e', SHOWS + PROGRAM])
  await kept.said('ready')
  kept.child.kill('SIGHUP')
  kept.child.kill('SIGUSR1')
  await kept.said('still here')
  expect(kept.output()).not.toContain('stop')
  kept.child.kill('SIGTERM')
  await kept.said('stop SIGTERM')
  kept.child.kill('SIGKILL')
})

test('SIGINT reaches what a script has put into the background', async () => {
  const { child, said } = start(['sh', '-c', `"$0" -e "$1" & echo pid $!; wait`, process.execPath, PROGRAM])
  const pid = Number(/pid (\d+)\n/.exec(await said('pid '))![1])
  await said('ready')
  process.kill(pid, 'SIGINT')
  await said('stop SIGINT')
  process.kill(pid, 'SIGKILL')
  child.kill('SIGKILL')
})

function start(command: string[]) {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let output = ''
  const said = async (text: string) => {
    while (!output.includes(text)) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`it ended and said only ${output}`)
      output += value
    }
    return output
  }
  return { child, said, output: () => output }
}
