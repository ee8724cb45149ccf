import type { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { AppError, invalid } from '../core/errors.ts'
import { released } from '../util/released.ts'
import { type Pace, paced, UPLOAD_PACE } from './pace.ts'
import { parseDisposition, parseParameters } from './parameters.ts'

const MAX_FIELD_BYTES = 64 * 1024
const MAX_FIELDS = 20
const MAX_HEADER_PAIRS = 50
/** RFC 2046 5.1.1 allows 70 characters; the parser takes any below 252. */
const BOUNDARY = /^[\x20-\x7e]{1,200}$/

export interface MultipartFile {
  /** Name of the field. */
  field: string
  filename: string
  /** A chunk is good until the next one is asked for. */
  body: AsyncIterable<Uint8Array>
}

type OnFile = (file: MultipartFile, fields: ReadonlyMap<string, string>) => Promise<void>

/**
 * Reads a multipart request part by part; a file is handed over while it comes in and is never held whole. Strings are
 * given as they were sent, however they begin.
 * @param onFile receives the one file; its failure ends the reading
 * @param pace that the client has to keep
 * @returns the text fields
 * @throws AppError VALIDATION_FAILED when it is no well-formed multipart body with exactly one file, UPLOAD_TOO_SLOW when it
 * does not keep the pace, CLIENT_CLOSED when the client breaks it off, or what `onFile` threw
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
  // Bun ends the body of a request that was broken off as if it were whole.
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
    // The parser forgets its parts; whoever reads one would wait for ever.
    parts.breakOff(error)
    reader.cancel().catch(() => {})
    // Whoever stores the file must have stopped, and tidied up, before the request is answered.
    await parts.settled()
    throw error
  }
}

function boundaryOf(request: Request): string | undefined {
  const { value, parameters } = parseParameters(request.headers.get('content-type') ?? '')
  const boundary = parameters.get('boundary')
  return value === 'multipart/form-data' && boundary && BOUNDARY.test(boundary) ? boundary : undefined
}

/** Feeds the parser as fast as the parts are read. */
async function pump(next: ReturnType<typeof paced>, parser: Dicer): Promise<void> {
  for (;;) {
    const { done, value } = await next()
    if (done) break
    // After the last boundary the parser takes nothing more: an epilogue is read and forgotten.
    if (parser.writable) await new Promise<unknown>((written) => parser.write(value, written))
  }
  if (parser.writable) parser.end()
}

/** What the parts of one request are: text fields, and the one file. */
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

  /** Fields that came before it are known to whoever receives it. */
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
    // What comes after would seem not to have been sent.
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
      // A copy: the parser uses some of its buffers again.
      chunks.push(Buffer.from(chunk))
    }
    this.fields.set(name, decoderFor(charset).decode(Buffer.concat(chunks)))
  }

  /** @throws AppError VALIDATION_FAILED without a file, or what reading a part threw */
  async all(): Promise<ReadonlyMap<string, string>> {
    await Promise.all(this.reading)
    if (!this.storing) throw invalid(this.fileField, 'required')
    await this.storing
    return this.fields
  }

  /** @param reason what whoever reads a part finds in place of its end */
  breakOff(reason: unknown): void {
    for (const part of this.open) part.destroy(reason as Error)
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.reading, this.storing])
  }
}

/** UTF-8, unless the part names another charset that is known. */
function decoderFor(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder((charset ?? 'utf-8') as 'utf-8')
  } catch {
    return new TextDecoder()
  }
}
