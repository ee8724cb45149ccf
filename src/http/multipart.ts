import { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { AppError, invalid } from '../core/errors.ts'
import { released } from '../util/released.ts'

const MAX_FIELD_BYTES = 64 * 1024
const MAX_FIELDS = 20
/** A client that sends nothing for so long is gone, whatever its connection says. */
const STALL_MS = 60_000

export interface MultipartFile {
  /** Name of the field. */
  field: string
  filename: string
  /** A chunk is good until the next one is asked for. */
  body: AsyncIterable<Uint8Array>
}

/**
 * Reads a multipart request part by part; a file is handed over while it comes in and is never held whole. Strings are
 * given as they were sent, however they begin.
 * @param onFile receives the one file; its failure ends the reading
 * @param stallMs how long to wait for the next bytes
 * @returns the text fields
 * @throws AppError VALIDATION_FAILED when it is no well-formed multipart body with exactly one file, UPLOAD_FAILED when it
 * does not go on, or what `onFile` threw
 */
export async function readMultipart(
  request: Request,
  fileField: string,
  onFile: (file: MultipartFile, fields: ReadonlyMap<string, string>) => Promise<void>,
  stallMs = STALL_MS,
): Promise<ReadonlyMap<string, string>> {
  const contentType = request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\s*;.*boundary=/i.test(contentType) || !request.body) {
    throw invalid('', 'multipart')
  }
  const fields = new Map<string, string>()
  let storing: Promise<void> | undefined
  let incoming: Readable | undefined
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    limits: { fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: 2, headerPairs: 50 },
  })
  const source = Readable.fromWeb(request.body as never)
  const { promise: parsed, resolve, reject } = Promise.withResolvers<void>()
  const fail = (error: unknown) => {
    reject(error instanceof AppError ? error : invalid('', 'multipart'))
    stop()
  }
  const stop = () => {
    source.destroy()
    parser.destroy()
    // The parser forgets its file streams; whoever reads one would wait for ever.
    incoming?.destroy(new Error('the request broke off'))
  }
  parser.on('field', (name, value, _nameTruncated, valueTruncated) => {
    if (valueTruncated) fail(invalid(name, 'max_length', { limit: MAX_FIELD_BYTES }))
    else fields.set(name, value)
  })
  parser.on('file', (field, body, filename) => {
    body.on('error', () => {})
    if (field !== fileField || storing) {
      body.resume()
      return fail(invalid(fileField, 'one_file'))
    }
    incoming = body
    storing = onFile({ field, filename: filename ?? '', body: released(body) }, fields)
    storing.catch(reject)
  })
  // What comes after would seem not to have been sent.
  parser.on('fieldsLimit', () => fail(invalid('', 'max_items', { limit: MAX_FIELDS })))
  parser.on('error', fail)
  parser.on('finish', resolve)
  source.on('error', fail)
  request.signal.addEventListener('abort', () => fail(new AppError('UPLOAD_FAILED')), { once: true })
  const stalled = setTimeout(() => {
    // The next bytes are there; whoever stores them is slow.
    if (source.isPaused() || source.readableEnded) stalled.refresh()
    else fail(new AppError('UPLOAD_FAILED'))
  }, stallMs)
  source.on('data', () => stalled.refresh())
  source.pipe(parser)
  try {
    await parsed.finally(() => clearTimeout(stalled))
    if (!storing) throw invalid(fileField, 'required')
    await storing
  } catch (error) {
    stop()
    // Whoever stores the file must have stopped, and tidied up, before the request is answered.
    await Promise.resolve(storing).catch(() => {})
    throw error
  }
  return fields
}
