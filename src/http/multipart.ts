import type { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { AppError, invalid } from '../core/errors.ts'
import { released } from '../util/released.ts'
import { bodyReader } from './body-reader.ts'
import { type Pace, UPLOAD_PACE } from './pace.ts'
import { parseDisposition, parseParameters } from './parameters.ts'

const MAX_FIELD_BYTES = 64 * 1024
const MAX_FIELDS = 20
const MAX_HEADER_PAIRS = 50
/** RFC 2046, 5.1.1 allows 70 characters; the parser accepts up to 251. */
const BOUNDARY = /^[\x20-\x7e]{1,200}$/

export interface MultipartFile {
  /** The name of the field. */
  field: string
  filename: string
  /** A chunk is valid until the reader asks for the next one. */
  body: AsyncIterable<Uint8Array>
}

type OnFile = (file: MultipartFile, fields: ReadonlyMap<string, string>) => Promise<void>

/** The files that a request may have. */
interface Accepted {
  /** The name of their field in errors. */
  field: string
  isField(name: string): boolean
  max: number
  /** The error for a file in another field, or for one file too many. */
  refusal(field: string): AppError
}

/**
 * Reads a multipart request with one file part by part. `onFile` gets the file as a stream, so the whole file is never in
 * memory. Text fields are strings exactly as the client sent them, also where they look like JSON.
 * @param onFile receives the one file; when it fails, the reading ends
 * @param pace the slowest pace at which the client may send
 * @returns the text fields
 * @throws AppError VALIDATION_FAILED unless the body is well-formed multipart with exactly one file, UPLOAD_TOO_SLOW when
 * the client is slower than the pace, CLIENT_CLOSED when the client disconnects, what `mayGoOn` throws, or what `onFile` threw
 */
export const readMultipart = (
  request: Request,
  fileField: string,
  onFile: OnFile,
  pace?: Pace,
): Promise<ReadonlyMap<string, string>> => {
  const isField = (name: string) => name === fileField
  const refusal = () => invalid(fileField, 'one_file')
  return readParts(request, { field: fileField, isField, max: 1, refusal }, onFile, pace)
}

/**
 * Reads a multipart request with one file or more, in the way of `readMultipart`.
 * @param fileField ends with `[]`, as forms write it. Clients may also leave the brackets out, or number them.
 * @param max one file more ends the reading with TOO_MANY_FILES
 * @param onFile receives the files one after the other. The rest of a file that it does not read to the end is dropped.
 */
export const readMultipartFiles = (
  request: Request,
  fileField: `${string}[]`,
  max: number,
  onFile: OnFile,
  pace?: Pace,
): Promise<ReadonlyMap<string, string>> => {
  const isField = (name: string) => name.replace(/\[\d*\]$/, '') === fileField.slice(0, -2)
  const refusal = (field: string) =>
    isField(field)
      ? new AppError('TOO_MANY_FILES', { params: { limit: max } })
      : invalid(fileField, 'file_field')
  return readParts(request, { field: fileField, isField, max, refusal }, onFile, pace)
}

async function readParts(
  request: Request,
  accepted: Accepted,
  onFile: OnFile,
  pace: Pace = UPLOAD_PACE,
): Promise<ReadonlyMap<string, string>> {
  const boundary = boundaryOf(request)
  if (boundary === undefined || !request.body) throw invalid('', 'multipart')
  const reader = bodyReader(request, request.body, pace)
  const parts = new Parts(accepted, onFile)
  const parser = new Dicer({ boundary, maxHeaderPairs: MAX_HEADER_PAIRS })
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  parser.on('part', (part) => parts.take(part, reject))
  parser.on('error', () => reject(invalid('', 'multipart')))
  parser.on('finish', resolve)
  // When a client disconnects, Bun ends the body as if it were complete.
  request.signal.addEventListener('abort', () => reject(new AppError('CLIENT_CLOSED')), { once: true })
  pump(reader.next, parser, parts).catch(reject)
  try {
    await ended
    return await parts.all()
  } catch (error) {
    parser.destroy()
    // A destroyed parser does not end its parts, so a reader of a part would wait for ever.
    parts.breakOff(error)
    reader.cancel()
    // `onFile` must have stopped writing, and deleted what it wrote, before the server answers.
    await parts.settled()
    throw error
  }
}

function boundaryOf(request: Request): string | undefined {
  const { value, parameters } = parseParameters(request.headers.get('content-type') ?? '')
  const boundary = parameters.get('boundary')
  return value === 'multipart/form-data' && boundary && BOUNDARY.test(boundary) ? boundary : undefined
}

/** Feeds the parser, no faster than the parts are read. */
async function pump(next: ReturnType<typeof bodyReader>['next'], parser: Dicer, parts: Parts): Promise<void> {
  for (;;) {
    // Small files that wait for their turn would otherwise accumulate.
    await parts.turn
    const { done, value } = await next()
    if (done) break
    // After the last boundary the parser accepts nothing more. The rest of the body is read and dropped.
    if (parser.writable) await new Promise<unknown>((written) => parser.write(value, written))
  }
  if (parser.writable) parser.end()
}

/** The parts of one request: text fields, and files. */
class Parts {
  /** Resolves when `onFile` begins with the newest file. */
  turn: Promise<unknown> = Promise.resolve()
  private readonly fields = new Map<string, string>()
  private readonly reading: Promise<void>[] = []
  private readonly open = new Set<Readable>()
  private storing: Promise<void> | undefined
  private files = 0

  constructor(
    private readonly accepted: Accepted,
    private readonly onFile: OnFile,
  ) {}

  /** @param fail ends the reading of the request */
  take(part: Readable, fail: (error: unknown) => void): void {
    part.on('error', () => {})
    part.on('header', (headers: Record<string, string[]>) => {
      const header = (name: string) => headers[name]?.[0] ?? ''
      const { type, name, filename } = parseDisposition(header('content-disposition'))
      if (type !== 'form-data' || name === undefined) return part.resume()
      this.open.add(part)
      const content = parseParameters(header('content-type'))
      const isFile = filename !== undefined || content.value === 'application/octet-stream'
      const taking = isFile
        ? this.takeFile(part, name, filename ?? '')
        : this.takeField(part, name, content.parameters.get('charset'))
      taking.then(() => this.open.delete(part), fail)
    })
  }

  /** `onFile` starts when all text fields before the file have been read, and the file before it. */
  private takeFile(part: Readable, field: string, filename: string): Promise<void> {
    const { accepted } = this
    if (!accepted.isField(field) || this.files === accepted.max) return refuse(part, accepted.refusal(field))
    this.files++
    this.turn = Promise.all([this.storing, ...this.reading])
    this.storing = this.turn.then(() => this.handOver(part, field, filename))
    return this.storing
  }

  private async handOver(part: Readable, field: string, filename: string): Promise<void> {
    const chunks = released(wellFormed(part))
    // Without `return`, so that a reader that stops early does not end the part: the parser would wait for it.
    const body = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }
    await this.onFile({ field, filename, body }, this.fields)
    for await (const _ of chunks);
  }

  private takeField(part: Readable, name: string, charset: string | undefined): Promise<void> {
    // Refused, because a field that the server drops would look like one that the client did not send.
    if (this.reading.length === MAX_FIELDS)
      return refuse(part, invalid('', 'max_items', { limit: MAX_FIELDS }))
    const read = this.readField(part, name, charset)
    this.reading.push(read)
    return read
  }

  private async readField(part: Readable, name: string, charset: string | undefined): Promise<void> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of part as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > MAX_FIELD_BYTES) throw invalid(name, 'max_length', { limit: MAX_FIELD_BYTES })
      // A copy, because the parser reuses some of its buffers.
      chunks.push(Buffer.from(chunk))
    }
    this.fields.set(name, decoderFor(charset).decode(Buffer.concat(chunks)))
  }

  /** @throws AppError VALIDATION_FAILED without a file, or what the reading of a part threw */
  async all(): Promise<ReadonlyMap<string, string>> {
    await Promise.all(this.reading)
    if (!this.storing) throw invalid(this.accepted.field, 'required')
    await this.storing
    return this.fields
  }

  /** @param reason the error that a reader of a part gets */
  breakOff(reason: unknown): void {
    for (const part of this.open) part.destroy(reason as Error)
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.reading, this.storing])
  }
}

/** The parser ends a part that is cut off with an error of its own. */
async function* wellFormed(part: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* part
  } catch (error) {
    throw error instanceof AppError ? error : invalid('', 'multipart')
  }
}

function refuse(part: Readable, error: AppError): Promise<never> {
  part.resume()
  return Promise.reject(error)
}

/** A decoder for the charset that the part names; for UTF-8 when it names none, or an unknown one. */
function decoderFor(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder((charset ?? 'utf-8') as 'utf-8')
  } catch {
    return new TextDecoder()
  }
}
