/** Receiving a file: one use case for every domain with uploads. A domain describes its uploads by an `UploadKind`. */
import type { Context, Tx } from '../context.ts'
import { AppError, invalid } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { type AcceptedFormats, assertSize, detectFormat, type FileFormat, SNIFF_BYTES } from './formats.ts'
import { type ProgressReporter, progressReporter } from './progress.ts'

/** A file while it comes in. `Details` is what the client says of it beside the content. */
export interface IncomingFile<Details> {
  name: string
  /** The details that came before the file. */
  details: Partial<Details>
  /** A chunk is valid until the next one is asked for. */
  body: AsyncIterable<Uint8Array>
}

export interface UploadSource<Details> {
  /** Bytes of the whole request; null when the client did not say. */
  total: number | null
  /** The SHA-256 that the file must have, in lower-case hexadecimal. */
  sha256?: string | undefined
  /** The SHA-256 of the file, when the source takes it, in lower-case hexadecimal. Called after `read`. */
  digest?: (() => Promise<string>) | undefined
  /**
   * Reads the whole request, and hands its file to `take` while it comes in.
   * It settles only after `take` has settled, and rejects with the error of `take`.
   */
  read(take: (file: IncomingFile<Details>) => Promise<void>): Promise<Details>
}

export interface StoredFile<Details> {
  /** Bytes. */
  size: number
  /** In lower-case hexadecimal; null when neither the kind nor the source asks for it. */
  sha256: string | null
  details: Details
}

/** What a domain does with an upload. `Row` is its record, which exists from the first bytes on. */
export interface UploadKind<F extends FileFormat, Row extends object, Details> {
  accepted: AcceptedFormats<F>
  /** Whether `finish` needs the file's SHA-256, which costs about 3 ms of the processor for each megabyte. */
  hashes: boolean
  /**
   * Makes the record, with the key of the object.
   * @throws AppError TOO_MANY_UPLOADS when other servers receive too many files of this user
   */
  begin(
    ctx: Context,
    userId: number,
    file: { format: F; name: string; details: Partial<Details> },
  ): Promise<Row>
  /** The name of the upload among all uploads, as in `uploadEndedHint`. */
  nameOf(row: Row): string
  keyOf(row: Row): string
  /** Tells clients that watch how many bytes have arrived. */
  publish(ctx: Context, row: Row, progress: { bytes: number; total: number | null }): void
  /** Says in the database that the upload is alive. A failure is not reported: the end of the upload shows it too. */
  touch(ctx: Context, row: Row): void
  /** The object is stored and the details are complete. */
  finish(tx: Tx, row: Row, file: StoredFile<Details>): Promise<Row>
  /** Deletes record and object of a failed upload. It never throws; cleanup deletes what is left. */
  abandon(ctx: Context, row: Row, reason: string): Promise<void>
}

/**
 * Receives a file from the network into the storage, and never holds it whole. After a failure neither record nor object
 * is left.
 * @param alongside a change that is committed with the end of the upload
 * @throws AppError TOO_MANY_UPLOADS, VALIDATION_FAILED (empty file), FILE_TOO_LARGE, DIGEST_MISMATCH, UPLOAD_FAILED, the
 * `unsupported` error of the kind, the code of an `uploadEndedHint`, and every error of reading the source
 */
export async function receiveFile<F extends FileFormat, Row extends object, Details>(
  ctx: Context,
  userId: number,
  kind: UploadKind<F, Row, Details>,
  source: UploadSource<Details>,
  alongside?: (tx: Tx, row: Row) => Promise<void>,
): Promise<Row> {
  // Before the first byte is read, so that a refusal costs nothing.
  using _ = ctx.services.uploads.enter(userId)
  const hashes = !source.digest && (kind.hashes || source.sha256)
  const hash = hashes ? new Bun.CryptoHasher('sha256') : undefined
  let row: Row | undefined
  let size = 0
  try {
    const details = await source.read(async ({ name, details, body }) => {
      const chunks = body[Symbol.asyncIterator]()
      const head = await readHead(chunks)
      if (head.byteLength === 0) throw invalid('file', 'empty_file')
      const format = await detectFormat(kind.accepted, head)
      row = await kind.begin(ctx, userId, { format, name, details })
      size = await store(ctx, kind, row, source.total, (report) =>
        measured(head, chunks, format, hash, report),
      )
    })
    const sha256 = hash?.digest('hex') ?? (await source.digest?.()) ?? null
    if (source.sha256 && source.sha256 !== sha256) throw new AppError('DIGEST_MISMATCH')
    return await ctx.services.uploads.inTurn(userId, () =>
      transaction(ctx, async (tx) => {
        const finished = await kind.finish(tx, row!, { size, sha256, details })
        await alongside?.(tx, finished)
        return finished
      }),
    )
  } catch (error) {
    if (row) await kind.abandon(ctx, row, error instanceof AppError ? error.code : 'UPLOAD_FAILED')
    throw error
  }
}

/** @returns the size of the stored object in bytes */
async function store<F extends FileFormat, Row extends object, Details>(
  ctx: Context,
  kind: UploadKind<F, Row, Details>,
  row: Row,
  total: number | null,
  body: (report: ProgressReporter['report']) => AsyncIterable<Uint8Array>,
): Promise<number> {
  using ended = ctx.services.uploads.watch(kind.nameOf(row))
  const { signal } = ended
  const progress = progressReporter(
    (bytes) => kind.publish(ctx, row, { bytes, total }),
    () => kind.touch(ctx, row),
  )
  signal.addEventListener('abort', progress.stop)
  try {
    return await ctx.storage.write(kind.keyOf(row), body(progress.report), { signal })
  } catch (thrown) {
    const error = signal.aborted ? signal.reason : thrown
    if (error instanceof AppError) throw error
    ctx.log.warn({ err: error, upload: kind.nameOf(row) }, 'an upload could not be stored')
    throw new AppError('UPLOAD_FAILED')
  } finally {
    progress.stop()
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

/** The whole file, which is measured, hashed and reported while it passes. */
async function* measured(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  format: FileFormat,
  hash: Bun.CryptoHasher | undefined,
  report: ProgressReporter['report'],
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for (let chunk: Uint8Array | undefined = head; chunk; ) {
    bytes += chunk.byteLength
    assertSize(format, bytes)
    hash?.update(chunk)
    report(bytes)
    yield chunk
    const next = await chunks.next()
    chunk = next.done ? undefined : next.value
  }
}
