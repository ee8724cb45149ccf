import { cutText } from '../util/cut.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { LineSplitter, splitStream } from './lines.ts'
import { identify, isGroupAlive, signalGroup } from './process-group.ts'

/** The outcome of one call of `nvidia-smi`. */
export type Answer =
  /** It ended by itself. `rows` may be valid with any exit code. */
  | { kind: 'ended'; code: number; rows: string[]; complaints: string[] }
  | { kind: 'missing' }
  | { kind: 'not started'; why: string }
  /** It did not end in time and was killed, or an earlier killed one still lives. */
  | { kind: 'hangs' }

const MAX_LINES = 1000
const MAX_LINE_CHARS = 1000
/** How long a child of the ended program may keep the output open. */
const OUTPUT_GRACE_MS = 500

/** Calls `nvidia-smi`, one at a time. */
export class NvidiaSmi {
  /** Whether a killed nvidia-smi still lives, because the driver hangs in the kernel. */
  private lingers = (): boolean => false
  private running: Bun.Subprocess | undefined

  constructor(
    private readonly program: string,
    private readonly limitMs: number,
  ) {}

  /** @param rows gets the output as it comes, because an nvidia-smi that does not end may have printed all */
  async query(fields: string, rows: string[] = []): Promise<Answer> {
    if (this.lingers()) return { kind: 'hangs' }
    let child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
    try {
      child = this.start(fields)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'not started', why: message }
    }
    this.running = child
    const answer = await this.attend(child, rows)
    this.running = undefined
    return answer
  }

  /** Kills the running one. Synchronous, for exit handlers. */
  close(): void {
    if (this.running) signalGroup(this.running.pid, 'SIGKILL')
  }

  private start(fields: string) {
    // Its own process group, because the program may be a shell script around the real one.
    return Bun.spawn([this.program, `--query-gpu=${fields}`, '--format=csv,noheader,nounits'], {
      detached: true,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
  }

  private async attend(child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>, rows: string[]): Promise<Answer> {
    const leader = identify(child.pid)
    const complaints: string[] = []
    const reading = Promise.allSettled([collect(child.stdout, rows), collect(child.stderr, complaints)])
    const code = await waitAtMost(this.limitMs, child.exited)
    if (code !== undefined) await waitAtMost(OUTPUT_GRACE_MS, reading)
    signalGroup(child.pid, 'SIGKILL')
    if (code !== undefined) return { kind: 'ended', code, rows, complaints }
    this.lingers = () =>
      leader ? isGroupAlive(leader) : child.exitCode === null && child.signalCode === null
    return { kind: 'hangs' }
  }
}

function collect(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  const splitter = new LineSplitter(MAX_LINE_CHARS, {
    line: ({ text }) => {
      if (lines.length < MAX_LINES && text.trim() !== '') lines.push(cutText(text.trim(), MAX_LINE_CHARS))
    },
  })
  return splitStream(stream, splitter)
}
