/** A child process with limits on its time, its memory and what it can read from us. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface Limits {
  /** Of the wall clock: longer, because the machine may be busy. */
  milliseconds: number
  /** Of the processor. */
  cpuSeconds: number
  /** For the decoding: beside what the runtime and its libraries map. */
  memoryMiB: number
}

export interface Ending {
  output: string
  complaints: string
  /** `timeout` is ours; else the signal that ended it, or undefined when it ended by itself. */
  by: 'timeout' | NodeJS.Signals | undefined
}

/**
 * JavaScriptCore and the allocators would reserve 6 GB of addresses, and half of any smaller limit. Told to reserve
 * little, they leave the rest of the limit to the decoding. (A release that knows these names no longer still starts.)
 */
const FRUGAL = {
  BUN_JSC_jitMemoryReservationSize: String(64 * 1024 * 1024),
  BUN_JSC_structureHeapSizeInKB: String(128 * 1024),
  MIMALLOC_ARENA_RESERVE: String(64 * 1024),
  MALLOC_ARENA_MAX: '1',
}
/** What the child maps before it reads the file: 690 MiB for a video, 575 for a PDF; more cores mean more stacks. */
const RUNTIME_MIB = 896

/** Nothing is sent to anybody, and nothing is written for a next run. */
const ALONE = {
  PATH: '/usr/bin:/bin',
  DO_NOT_TRACK: '1',
  BUN_ENABLE_CRASH_REPORTING: '0',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/**
 * The kernel holds these limits, also when the server is too busy to look, or gone: address space, CPU time, the size
 * of a file, no core dump. Where a kernel lacks one (macOS: address space), the rest hold.
 */
const SHELL =
  '{ ulimit -v "$1"; ulimit -S -t "$2"; ulimit -f 20480; ulimit -c 0; } 2>/dev/null; shift 2; exec "$@"'

/**
 * Runs a script of ours by the same Bun, in a new directory within `place` that goes with it.
 * @throws the signal's reason when aborted, after the child's end
 */
export async function confine(
  script: string,
  argument: string,
  place: string,
  limits: Limits,
  signal?: AbortSignal,
): Promise<Ending> {
  signal?.throwIfAborted()
  const scratch = await mkdtemp(join(place, 'roost-thumbnail-'))
  try {
    const ending = await watch(start(script, argument, limits, scratch), limits, signal)
    signal?.throwIfAborted()
    return ending
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function start(script: string, argument: string, limits: Limits, scratch: string) {
  const kibibytes = (RUNTIME_MIB + limits.memoryMiB) * 1024
  // The soft limit, which ends the child with SIGXCPU: at a hard one it would be SIGKILL, as when memory runs out.
  const shell = ['/bin/sh', '-c', SHELL, 'sh', String(kibibytes), String(limits.cpuSeconds)]
  const bun = [process.execPath, '--no-install', '--no-env-file', script, argument]
  return Bun.spawn([...shell, ...bun], {
    // A process group of its own.
    detached: true,
    cwd: scratch,
    env: { ...ALONE, ...FRUGAL, TMPDIR: scratch },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    maxBuffer: MAX_OUTPUT_BYTES,
    killSignal: 'SIGKILL',
  })
}

async function watch(
  child: ReturnType<typeof start>,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<Ending> {
  let late = false
  const kill = () => killGroup(child.pid)
  const timer = setTimeout(() => {
    late = true
    kill()
  }, limits.milliseconds)
  signal?.addEventListener('abort', kill, { once: true })
  // Between the first look and the listener it may have been aborted.
  if (signal?.aborted) kill()
  try {
    const reading = Promise.all([child.stdout.text(), child.stderr.text()])
    await child.exited
    // What it left running in its group would keep the pipes open.
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

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it is gone already.
  }
}
