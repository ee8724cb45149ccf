/** Thumbnails of untrusted files: decoded in a process of their own, never in the server's. */
import { stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cutStart } from '../util/cut.ts'
import { confine, type Ending, type Limits } from './confine.ts'
import {
  FAILURES,
  type Thumbnail,
  ThumbnailError,
  type ThumbnailKind,
  type WorkerAnswer,
  type WorkerRequest,
} from './protocol.ts'

export interface ThumbnailJob {
  /** A file of this machine. */
  input: string
  kind: ThumbnailKind
  /**
   * Where the JPEG goes, at most 640 × 360. Untouched when there is none. The process works in a directory beside it,
   * so that whoever clears up after a crash finds both.
   */
  output: string
  limits?: Partial<Limits>
}

const LIMITS: Limits = { milliseconds: 20_000, cpuSeconds: 6, memoryMiB: 512 }
const OUT_OF_MEMORY = /out of memory|bad_alloc|cannot allocate/i
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * Holds one process for about half a second; how many run at once is the caller's to say.
 * @throws ThumbnailError; the signal's reason when aborted; what the file system says when `output` can't be written
 */
export async function renderThumbnail(
  { input, kind, output, limits: own }: ThumbnailJob,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Thumbnail> {
  await requireFile(input)
  const limits = { ...LIMITS, ...own }
  const request: WorkerRequest = { input: resolve(input), kind, memoryMiB: limits.memoryMiB }
  const place = dirname(resolve(output))
  const ending = await confine(WORKER, JSON.stringify(request), place, limits, signal)
  const { jpeg, ...thumbnail } = understood(ending)
  await writeFile(output, jpeg)
  return thumbnail
}

/** Else the child would wait on a pipe, or list a directory. */
async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new ThumbnailError('UNREADABLE', 'there is no such file')
}

/** A whole answer counts, however the child ended after it. */
function understood({ output, complaints, by }: Ending): Thumbnail & { jpeg: Uint8Array } {
  const answer = parsed(output)
  if (answer && 'jpeg' in answer) return checked(answer)
  if (answer && FAILURES.includes(answer.code)) throw new ThumbnailError(answer.code, String(answer.message))
  if (by === 'SIGXCPU') throw new ThumbnailError('TIMEOUT', 'it takes too long to decode')
  if (by === 'timeout') throw new ThumbnailError('BUSY', 'the machine had no time for it')
  if (OUT_OF_MEMORY.test(complaints)) throw new ThumbnailError('MEMORY', 'it takes too much memory')
  // Not this server's SIGKILL, so it was the kernel's, which sends it when the machine is out of memory.
  if (by === 'SIGKILL') throw new ThumbnailError('BUSY', 'the machine had no memory for it')
  throw new ThumbnailError('CRASHED', `the decoder ended by ${by ?? 'itself'}: ${cutStart(complaints, 500)}`)
}

function parsed(output: string): WorkerAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(output.trimEnd().split('\n').at(-1)!)
    return answer instanceof Object ? (answer as WorkerAnswer) : undefined
  } catch {
    return undefined
  }
}

/** The child has read an untrusted file, so its answer is validated like untrusted input. */
function checked({ jpeg, width, height, durationSeconds, pages }: Thumbnail & { jpeg: string }) {
  const bytes = Buffer.from(String(jpeg), 'base64')
  const isNumber = (value: unknown) => value === undefined || Number.isFinite(value)
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || ![width, height, durationSeconds, pages].every(isNumber)) {
    throw new ThumbnailError('CRASHED', 'the decoder answered with something else than a picture')
  }
  return {
    jpeg: bytes,
    width,
    height,
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(pages !== undefined && { pages }),
  }
}
