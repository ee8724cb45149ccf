import { readdirSync, readFileSync } from 'node:fs'

/** Signals a process group. Ignores a group that is gone or that changed to another user. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pgid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Identifies a process although its number may be reused: by its start (clock ticks) and the boot of the machine. */
export interface ProcessIdentity {
  pid: number
  started: number
  boot: string
}

/** Undefined without /proc, where a process cannot be told from a later one with the same number. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = stat(pid)?.started
  const boot = bootId()
  return started === undefined || boot === undefined ? undefined : { pid, started, boot }
}

/**
 * Kills the living processes of the group that `leader` led. While one of them lives, the kernel gives the number of the
 * group to no new process, so they belong to this group also without the leader.
 * @returns whether there was one
 */
export function killLeftovers(leader: ProcessIdentity): boolean {
  if (!isGroupAlive(leader)) return false
  signalGroup(leader.pid, 'SIGKILL')
  return true
}

/** Whether a process of the group that `leader` led still lives. */
export function isGroupAlive(leader: ProcessIdentity): boolean {
  if (leader.boot !== bootId()) return false
  const found = stat(leader.pid)
  if (found && found.started !== leader.started) return false
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .some((other) => other?.group === leader.pid && other.session === leader.pid && other.state !== 'Z')
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}

function stat(
  pid: number,
): { state: string | undefined; group: number; session: number; started: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, with any characters in it, so count from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return {
      state: fields[0],
      group: Number(fields[2]),
      session: Number(fields[3]),
      started: Number(fields[19]),
    }
  } catch {
    return undefined
  }
}
