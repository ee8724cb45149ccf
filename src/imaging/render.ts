/** Previews of untrusted files. A child process decodes the file, never the server's own process. */
import { stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cutStart } from '../util/cut.ts'
import { confine, type Ending, type Limits } from './confine.ts'
import {
  FAILURES,
  ImagingError,
  type Preview,
  type Size,
  type SourceKind,
  type WorkerAnswer,
  type WorkerRequest,
} from './protocol.ts'

export interface PreviewJob {
  /** The path of a local file. */
  input: string
  kind: SourceKind
  /** The preview is as large as fits into it. A video's is never larger than the video. */
  box: Size
  /**
   * The path of the JPEG, which is written only on success. The child works in a directory beside it, so that the cleanup
   * after a crash finds both.
   */
  output: string
  limits?: Partial<Limits>
}

/** On a busy machine the child gets less than a quarter of a processor. */
const LIMITS: Limits = { milliseconds: 60_000, cpuSeconds: 6, memoryMiB: 512 }
const OUT_OF_MEMORY = /out of memory|bad_alloc|cannot allocate/i
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * Renders the preview, which takes about half a second of one processor. The caller limits how many run at once.
 * @throws ImagingError; the signal's reason when aborted; the file system's error when `output` can't be written
 */
export async function renderPreview(
  { input, kind, box, output, limits: own }: PreviewJob,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Preview> {
  await requireFile(input)
  const limits = { ...LIMITS, ...own }
  const request: WorkerRequest = { input: resolve(input), kind, box, memoryMiB: limits.memoryMiB }
  const place = dirname(resolve(output))
  const ending = await confine(WORKER, JSON.stringify(request), place, limits, signal)
  const { jpeg, ...preview } = readEnding(ending)
  await writeFile(output, jpeg)
  return preview
}

/** Refuses pipes and directories: the child would wait for a writer of a pipe. */
async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new ImagingError('UNREADABLE', 'there is no such file')
}

/** An answer that is complete counts, however the child ended after it. */
function readEnding({ output, complaints, by }: Ending): Preview & { jpeg: Uint8Array } {
  const answer = parsed(output)
  if (answer && 'jpeg' in answer) return checked(answer)
  if (answer && FAILURES.includes(answer.code)) throw new ImagingError(answer.code, String(answer.message))
  if (by === 'SIGXCPU') throw new ImagingError('TIMEOUT', 'it takes too long to decode')
  if (by === 'timeout') throw new ImagingError('BUSY', 'the machine had no time for it')
  if (OUT_OF_MEMORY.test(complaints)) throw new ImagingError('MEMORY', 'it takes too much memory')
  // This server sent no SIGKILL, so the kernel did, because the machine is out of memory.
  if (by === 'SIGKILL') throw new ImagingError('BUSY', 'the machine had no memory for it')
  throw new ImagingError('CRASHED', `the decoder ended by ${by ?? 'itself'}: ${cutStart(complaints, 500)}`)
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
function checked({ jpeg, width, height, durationSeconds, pages }: Preview & { jpeg: string }) {
  const bytes = Buffer.from(String(jpeg), 'base64')
  const isNumber = (value: unknown) => value === undefined || Number.isFinite(value)
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || ![width, height, durationSeconds, pages].every(isNumber)) {
    throw new ImagingError('CRASHED', 'the decoder answered with something else than a picture')
  }
  return {
    jpeg: bytes,
    width,
    height,
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(pages !== undefined && { pages }),
  }
}
