/** Previews of untrusted files. A child process decodes the file, never the server's own process. */
import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { confine, type Limits } from './confine.ts'
import { answerOf, requireFile } from './ending.ts'
import {
  type Facts,
  ImagingError,
  type Preview,
  type Size,
  type SourceKind,
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
const LIMITS: Limits = { milliseconds: 60_000, cpuSeconds: 6, memoryMiB: 512, fileMiB: 10 }
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

/**
 * Renders the preview, which takes about half a second of one processor. The caller limits how many run at once.
 * @throws ImagingError; the signal's reason when aborted; the file system's error when `output` can't be written
 */
export async function renderPreview(
  { input, kind, box, output, limits: own }: PreviewJob,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Preview> {
  const limits = { ...LIMITS, ...own }
  const place = dirname(resolve(output))
  const { jpeg, ...preview } = checked(
    await answered<Preview & { jpeg: string }>({ input, kind, box }, { place, limits, signal }),
  )
  await writeFile(output, jpeg)
  return preview
}

export interface MeasureJob {
  /** The path of a local file. */
  input: string
  kind: SourceKind
  /** The directory in which the child works. */
  place: string
}

/**
 * Reads what a file says of itself, without decoding a picture of it.
 * @throws ImagingError; the signal's reason when aborted
 */
export async function measureFile({ input, kind, place }: MeasureJob, signal?: AbortSignal): Promise<Facts> {
  return factsOf(await answered<Facts>({ input, kind }, { place, limits: LIMITS, signal }))
}

async function answered<Answer extends object>(
  request: Omit<WorkerRequest, 'memoryMiB'>,
  { place, limits, signal }: { place: string; limits: Limits; signal: AbortSignal | undefined },
): Promise<Partial<Answer>> {
  await requireFile(request.input)
  const full: WorkerRequest = {
    ...request,
    input: resolve(request.input),
    memoryMiB: limits.memoryMiB,
  }
  const ending = await confine(WORKER, JSON.stringify(full), resolve(place), limits, { signal })
  return answerOf<Answer>(ending)
}

/** The child has read an untrusted file, so its answer is validated like untrusted input. */
function checked({ jpeg, width, height, ...facts }: Partial<Preview & { jpeg: string }>) {
  const bytes = Buffer.from(String(jpeg), 'base64')
  if (!(isJpeg(bytes) && isNumber(width) && isNumber(height))) throw badAnswer()
  return { jpeg: bytes, width, height, ...factsOf(facts) }
}

function factsOf({ durationSeconds, pages }: Partial<Facts>): Facts {
  const isFact = (value: unknown) => value === undefined || (isNumber(value) && value >= 0)
  if (!(isFact(durationSeconds) && isFact(pages) && (pages ?? 0) <= MAX_PAGES)) throw badAnswer()
  return {
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(pages !== undefined && { pages }),
  }
}

/** More than any document has, and few enough for a column of the database. */
const MAX_PAGES = 1_000_000

const isNumber = (value: unknown): value is number => Number.isFinite(value)
const badAnswer = () =>
  new ImagingError('CRASHED', 'the decoder answered with something else than it was asked for')
const isJpeg = (bytes: Buffer) => bytes[0] === 0xff && bytes[1] === 0xd8
