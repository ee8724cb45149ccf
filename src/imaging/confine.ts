/** Runs a script in a child process with limits on its time and memory, and without the server's environment. */
import { mkdtemp, rm } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { join } from 'node:path'

export interface Limits {
  /** Wall-clock time. Longer than the processor time, because the machine may be busy. */
  milliseconds: number
  /** Processor time. */
  cpuSeconds: number
  /** Memory for decoding, in addition to what the runtime and its libraries map. */
  memoryMiB: number
  /** The largest file that the child may write. */
  fileMiB: number
}

export interface Ending {
  output: string
  /** Standard error. */
  complaints: string
  /** `timeout`: the limit in milliseconds. Otherwise the signal that ended the child, or undefined when it ended by itself. */
  by: 'timeout' | NodeJS.Signals | undefined
}

/**
 * JavaScriptCore and the allocators would reserve 6 GB of addresses, or half of any smaller limit. With these settings they
 * reserve little, and the rest of the limit is for decoding. A Bun that no longer knows these names still starts.
 */
const FRUGAL = {
  BUN_JSC_jitMemoryReservationSize: String(64 * 1024 * 1024),
  BUN_JSC_structureHeapSizeInKB: String(128 * 1024),
  MIMALLOC_ARENA_RESERVE: String(64 * 1024),
  MALLOC_ARENA_MAX: '1',
}
/** The child maps this much before it reads the file: 690 MiB for a video, 575 for a PDF, and more stacks on more cores. */
const RUNTIME_MIB = 896

/** The child sends no telemetry and no crash reports, and writes no cache. */
const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  DO_NOT_TRACK: '1',
  BUN_ENABLE_CRASH_REPORTING: '0',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
}

/** Of `ulimit -f` in a POSIX shell. */
const BLOCKS_PER_MIB = 2048
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/**
 * The child gets a quarter of a processor that the server needs too, and all of an idle one: requests wait less for
 * pictures.
 */
const NICE = 5

/**
 * The kernel enforces these limits, also while the server is busy or gone: address space, CPU time, file size, no core
 * dump. A kernel that lacks one of them (macOS: address space) enforces the others. A Linux that schedules by session
 * counts the nice value of the session, not that of the process.
 */
const SHELL = `{ ulimit -v "$1"; ulimit -S -t "$2"; ulimit -f "$3"; ulimit -c 0; echo ${NICE} > /proc/self/autogroup
} 2>/dev/null; shift 3; exec "$@"`

/**
 * Runs a script of this repository with the same Bun, in a new directory within `place` that is deleted afterwards.
 * @param onLine is called with each line of standard output as soon as the child has written it
 * @throws the signal's reason when aborted, after the child has ended
 */
export async function confine(
  script: string,
  argument: string,
  place: string,
  limits: Limits,
  { signal, onLine }: { signal?: AbortSignal | undefined; onLine?: (line: string) => void } = {},
): Promise<Ending> {
  signal?.throwIfAborted()
  const scratch = await mkdtemp(join(place, 'roost-imaging-'))
  try {
    const ending = await watch(start(script, argument, limits, scratch), limits, signal, onLine)
    signal?.throwIfAborted()
    return ending
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function start(script: string, argument: string, limits: Limits, scratch: string) {
  const kibibytes = (RUNTIME_MIB + limits.memoryMiB) * 1024
  // The soft limit ends the child with SIGXCPU. A hard one would end it with SIGKILL, as the kernel does when memory runs out.
  const blocks = limits.fileMiB * BLOCKS_PER_MIB
  const shell = ['/bin/sh', '-c', SHELL, 'sh', ...[kibibytes, limits.cpuSeconds, blocks].map(String)]
  const bun = [process.execPath, '--no-install', '--no-env-file', script, argument]
  const child = Bun.spawn([...shell, ...bun], {
    // A process group of its own, so that the child's children can be ended too.
    detached: true,
    cwd: scratch,
    env: { ...ENVIRONMENT, ...FRUGAL, TMPDIR: scratch },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    maxBuffer: MAX_OUTPUT_BYTES,
    killSignal: 'SIGKILL',
  })
  try {
    setPriority(child.pid, NICE)
  } catch {
    // It has ended already.
  }
  return child
}

async function watch(
  child: ReturnType<typeof start>,
  limits: Limits,
  signal: AbortSignal | undefined,
  onLine: ((line: string) => void) | undefined,
): Promise<Ending> {
  let late = false
  const kill = () => killGroup(child.pid)
  const timer = setTimeout(() => {
    late = true
    kill()
  }, limits.milliseconds)
  signal?.addEventListener('abort', kill, { once: true })
  // It may have been aborted before the listener was added.
  if (signal?.aborted) kill()
  try {
    const reading = Promise.all([readLines(child.stdout, onLine), child.stderr.text()])
    await child.exited
    // Its children that still run would keep the pipes open.
    kill()
    const [output, complaints] = await reading
    return {
      output,
      complaints,
      by: late ? 'timeout' : ((child.signalCode as NodeJS.Signals | null) ?? undefined),
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', kill)
  }
}

/** @returns the whole text */
async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  let text = ''
  let start = 0
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
      onLine?.(text.slice(start, end))
      start = end + 1
    }
  }
  return text
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}
