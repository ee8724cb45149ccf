import type { Context } from '../context.ts'
import { AppError, invalid } from '../errors.ts'
import { assertSize, detectFormat, type FileFormat, SNIFF_BYTES } from './formats.ts'
import type { Material } from './materials.ts'
import { abandonUpload, beginUpload, uploadReporter } from './uploads.ts'

export interface IncomingFile {
  name: string
  /** As far as it is known before the file has come. */
  title: string
  /** A chunk is good until the next one is asked for. */
  body: AsyncIterable<Uint8Array>
  /** Bytes of the whole request, when the client said so. */
  total: number | null
}

/**
 * Takes a file from the network to the storage without holding it. Its material exists from the first bytes on; when
 * anything fails, nothing is left of either.
 * @throws AppError VALIDATION_FAILED (empty), UNSUPPORTED_FILE_TYPE, FILE_TOO_LARGE, TOO_MANY_UPLOADS, ALREADY_DELETED,
 * UPLOAD_FAILED
 */
export async function receiveFile(
  ctx: Context,
  userId: number,
  file: IncomingFile,
): Promise<{ material: Material; size: number }> {
  const chunks = file.body[Symbol.asyncIterator]()
  const head = await readHead(chunks)
  if (head.byteLength === 0) throw invalid('file', 'empty_file')
  const format = await detectFormat(head)
  const material = await beginUpload(ctx, userId, { format, name: file.name, title: file.title })
  using deletion = ctx.services.uploads.watch(material.id)
  const { signal } = deletion
  const reporter = uploadReporter(ctx, material, file.total)
  signal.addEventListener('abort', reporter.stop)
  try {
    const body = counted(head, chunks, format, reporter.report)
    const { size } = await ctx.storage.write(material.filePath, body, { signal })
    reporter.stop()
    return { material, size }
  } catch (thrown) {
    reporter.stop()
    const error = signal.aborted ? signal.reason : thrown
    const known = error instanceof AppError
    if (!known) ctx.log.warn({ err: error, material: material.id }, 'an upload could not be stored')
    const failure = known ? error : new AppError('UPLOAD_FAILED')
    await abandonUpload(ctx, material, failure.code)
    throw failure
  }
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  while (size < SNIFF_BYTES) {
    const { value, done } = await chunks.next()
    if (done) break
    parts.push(Buffer.from(value))
    size += value.byteLength
  }
  return Buffer.concat(parts)
}

/** The whole file, measured while it passes. */
async function* counted(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  format: FileFormat,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for (let chunk: Uint8Array | undefined = head; chunk; ) {
    bytes += chunk.byteLength
    assertSize(format, bytes)
    report(bytes)
    yield chunk
    const next = await chunks.next()
    chunk = next.done ? undefined : next.value
  }
}
