import type { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { AppError, invalid } from '../core/errors.ts'
import { released } from '../util/released.ts'
import { type Pace, paced, UPLOAD_PACE } from './pace.ts'
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

/**
 * Reads a multipart request part by part. `onFile` gets the file as a stream, so the whole file is never in memory. Text
 * fields are strings exactly as the client sent them, also where they look like JSON.
 * @param onFile receives the one file; when it fails, the reading ends
 * @param pace the slowest pace at which the client may send
 * @returns the text fields
 * @throws AppError VALIDATION_FAILED unless the body is well-formed multipart with exactly one file, UPLOAD_TOO_SLOW when
 * the client is slower than the pace, CLIENT_CLOSED when the client disconnects, or what `onFile` threw
 */
export async function readMultipart(
  request: Request,
  fileField: string,
  onFile: OnFile,
  pace: Pace = UPLOAD_PACE,
): Promise<ReadonlyMap<string, string>> {
  const boundary = boundaryOf(request)
  if (boundary === undefined || !request.body) throw invalid('', 'multipart')
  const reader = request.body.getReader()
  const parts = new Parts(fileField, onFile)
  const parser = new Dicer({ boundary, maxHeaderPairs: MAX_HEADER_PAIRS })
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  parser.on('part', (part) => parts.take(part, reject))
  parser.on('error', () => reject(invalid('', 'multipart')))
  parser.on('finish', resolve)
  // When a client disconnects, Bun ends the body as if it were complete.
  request.signal.addEventListener('abort', () => reject(new AppError('CLIENT_CLOSED')), { once: true })
  const read = () =>
    reader.read().catch(() => {
      throw new AppError('CLIENT_CLOSED')
    })
  pump(paced(read, pace), parser).catch(reject)
  try {
    await ended
    return await parts.all()
  } catch (error) {
    parser.destroy()
    // A destroyed parser does not end its parts, so a reader of a part would wait for ever.
    parts.breakOff(error)
    reader.cancel().catch(() => {})
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
async function pump(next: ReturnType<typeof paced>, parser: Dicer): Promise<void> {
  for (;;) {
    const { done, value } = await next()
    if (done) break
    // After the last boundary the parser accepts nothing more. The rest of the body is read and dropped.
    if (parser.writable) await new Promise<unknown>((written) => parser.write(value, written))
  }
  if (parser.writable) parser.end()
}

/** The parts of one request: text fields, and the one file. */
class Parts {
  private readonly fields = new Map<string, string>()
  private readonly reading: Promise<void>[] = []
  private readonly open = new Set<Readable>()
  private storing: Promise<void> | undefined

  constructor(
    private readonly fileField: string,
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
      taking.catch(fail)
    })
  }

  /** `onFile` starts when all text fields before the file have been read. */
  private takeFile(part: Readable, field: string, filename: string): Promise<void> {
    if (field !== this.fileField || this.storing) {
      part.resume()
      return Promise.reject(invalid(this.fileField, 'one_file'))
    }
    const before = Promise.all(this.reading)
    this.storing = before.then(() => this.onFile({ field, filename, body: released(part) }, this.fields))
    return this.storing
  }

  private takeField(part: Readable, name: string, charset: string | undefined): Promise<void> {
    // Refused, because a field that the server drops would look like one that the client did not send.
    if (this.reading.length === MAX_FIELDS) {
      part.resume()
      return Promise.reject(invalid('', 'max_items', { limit: MAX_FIELDS }))
    }
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
    if (!this.storing) throw invalid(this.fileField, 'required')
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

/** A decoder for the charset that the part names; for UTF-8 when it names none, or an unknown one. */
function decoderFor(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder((charset ?? 'utf-8') as 'utf-8')
  } catch {
    return new TextDecoder()
  }
}
