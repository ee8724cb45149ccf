/** Previews of untrusted files. A child process decodes the file, never the server's own process. */
import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { confine, type Limits } from './confine.ts'
import { answerOf, requireFile } from './ending.ts'
import { ImagingError, type Preview, type Size, type SourceKind, type WorkerRequest } from './protocol.ts'

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
  await requireFile(input)
  const limits = { ...LIMITS, ...own }
  const request: WorkerRequest = { input: resolve(input), kind, box, memoryMiB: limits.memoryMiB }
  const place = dirname(resolve(output))
  const ending = await confine(WORKER, JSON.stringify(request), place, limits, { signal })
  const { jpeg, ...preview } = checked(answerOf<Preview & { jpeg: string }>(ending))
  await writeFile(output, jpeg)
  return preview
}

/** The child has read an untrusted file, so its answer is validated like untrusted input. */
function checked({ jpeg, width, height, durationSeconds, pages }: Partial<Preview & { jpeg: string }>) {
  const bytes = Buffer.from(String(jpeg), 'base64')
  const isNumber = (value: unknown): value is number => Number.isFinite(value)
  const isFact = (value: unknown) => value === undefined || isNumber(value)
  if (!(isJpeg(bytes) && isNumber(width) && isNumber(height) && isFact(durationSeconds) && isFact(pages))) {
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

const isJpeg = (bytes: Buffer) => bytes[0] === 0xff && bytes[1] === 0xd8
