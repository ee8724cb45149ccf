/** README's tour, in a fresh copy of the project. Each line is typed into a terminal unchanged. */
import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { eventually, freePort, ROOT, temporaryDirectory } from '../support/process.ts'
import { shellBlocks } from '../support/tour.ts'

const folder = temporaryDirectory('tour')
const port = freePort()
const terminals: Terminal[] = []
afterAll(async () => {
  for (const terminal of terminals.reverse()) await terminal.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A shell whose lines are typed one by one. Only the port differs from the document. */
class Terminal {
  output = ''
  // A session of its own, so that closing it ends all that was started in it.
  private readonly shell = Bun.spawn(['setsid', 'bash', '--norc'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', PORT: String(port) },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })

  constructor() {
    terminals.push(this)
    for (const stream of [this.shell.stdout, this.shell.stderr]) void this.read(stream)
  }

  private async read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.output += text
  }

  async type(text: string): Promise<void> {
    for (const line of text.split('\n').filter(Boolean)) {
      this.shell.stdin.write(`${line.replaceAll('localhost:8000', `localhost:${port}`)}\n`)
      await this.shell.stdin.flush()
    }
  }

  /** Waits until `pattern` has been printed `times` times. */
  says(pattern: RegExp, times = 1): Promise<RegExpMatchArray> {
    const all = new RegExp(pattern, 'g')
    return eventually(
      () => [...this.output.matchAll(all)][times - 1],
      () => `${pattern} is printed ${times} times; there is:\n${this.output.slice(-3000)}`,
      120_000,
    )
  }

  async close(): Promise<void> {
    process.kill(-this.shell.pid, 'SIGKILL')
    await this.shell.exited
  }
}

test('every line of the tour does what the tour says', async () => {
  const files = Bun.spawnSync(['git', 'ls-files', '-co', '--exclude-standard'], { cwd: ROOT })
  for (const file of files.stdout.toString().split('\n').filter(Boolean)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(ROOT, file), join(folder, file))
  }
  const [start, node, channel, task, events, upload, refresh, ...more] = shellBlocks(
    'README.md',
    'Five minutes',
  )
  expect(more).toEqual([])

  const first = new Terminal()
  await first.type(start!)
  const [, pid] = await first.says(/Roost listens on \S+ \(process (\d+)\)/)

  const second = new Terminal()
  await second.type(node!)
  await second.says(/connected to/)

  const third = new Terminal()
  await third.type(channel!)
  await third.says(/"type":"welcome"/)

  const fourth = new Terminal()
  await fourth.type(task!)
  await fourth.says(/"success":true,"message":"Task created"/)
  await third.says(/"type":"task.started"/)
  await third.type('{"type":"subscribe_task","task_id":1}')
  await third.says(/"type":"task_update","task_id":1,"data":\{"progress":[1-9]/)

  process.kill(Number(pid), 'SIGKILL')
  await eventually(
    () =>
      fetch(`http://localhost:${port}/`).then(
        () => false,
        () => true,
      ),
    'the server is gone',
  )
  await first.type(start!)
  await first.says(/Roost listens on/, 2)
  await second.says(/connected to/, 2)

  await fourth.type(upload!)
  await fourth.says(/"id":1,"title":"First file"/)
  await fourth.type(refresh!)
  await fourth.says(/"email":"mei@example.com"/)
  // The task goes on for the rest of its minute: its first attempt, on the node that kept it.
  await eventually(
    async () => {
      const before = fourth.output.length
      await fourth.type(events!)
      await Bun.sleep(500)
      return /"task\.completed".*"attempt":1/.test(fourth.output.slice(before))
    },
    () => `the task is completed: ${fourth.output.slice(-3000)}`,
    120_000,
  )
  expect(fourth.output).toContain('"type":"thumbnail.completed"')
  expect(fourth.output).not.toContain('task.requeued')
}, 400_000)
