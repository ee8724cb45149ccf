/** Files one after the other, in the tar format of POSIX (pax), so that common tools can list and unpack an archive. */

export interface Entry {
  name: string
  /** Bytes. */
  size: number
  /** Exactly that many bytes. */
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export class TarError extends Error {
  override name = 'TarError'
}

const BLOCK = 512
/** The largest size that the field of a header holds. */
const MAX_SIZE = 0o77777777777
const MAX_NAME_BYTES = 100
/** A pax record has a name of some hundred bytes and a size. */
const MAX_PAX_BYTES = 64 * 1024

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const paddingOf = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK)

export async function* writeTar(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  for await (const { name, size, body } of entries) {
    if (size > MAX_SIZE || encode(name).length > MAX_NAME_BYTES || /[^\x20-\x7e]/.test(name)) {
      const records = encode(paxRecord('path', name) + paxRecord('size', String(size)))
      yield header('pax', records.length, 'x')
      yield records
      yield paddingOf(records.length)
    }
    // A reader takes name and size from the records before it, if there are any.
    yield header(name, Math.min(size, MAX_SIZE), '0')
    let written = 0
    for await (const chunk of body) {
      written += chunk.byteLength
      yield chunk
    }
    if (written !== size) throw new TarError(`${name} has ${written} bytes in place of ${size}`)
    yield paddingOf(size)
  }
  yield new Uint8Array(2 * BLOCK)
}

/** `<length> key=value\n`: the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = encode(rest).length
  let length = bytes + 1
  while (bytes + String(length).length !== length) length++
  return `${length}${rest}`
}

function header(name: string, size: number, type: '0' | 'x'): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  block.set(encode(name).subarray(0, MAX_NAME_BYTES))
  block.write('0000600\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('00000000000\0', 136)
  block.write(type, 156)
  block.write('ustar\x0000', 257)
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** The sum of all bytes, with spaces in place of the checksum itself. */
function checksumOf(block: Uint8Array): number {
  let sum = 0
  for (const [i, byte] of block.entries()) sum += i >= 148 && i < 156 ? 32 : byte
  return sum
}

/**
 * Reads what `writeTar` has written. The body of an entry must be read before the next entry; what is left of it is passed over.
 * @throws TarError when the bytes are no such archive, or end early
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const reader = new BlockReader(source)
  let pax: Map<string, string> | undefined
  for (;;) {
    const block = await reader.take(BLOCK)
    if (block.every((byte) => byte === 0)) return reader.drain()
    const field = (start: number, length: number) =>
      Buffer.from(block.subarray(start, start + length))
        .toString('latin1')
        .replace(/\0.*$/s, '')
    if (Number.parseInt(field(148, 8), 8) !== checksumOf(block)) throw new TarError('a header is damaged')
    const ownSize = Number.parseInt(field(124, 12), 8)
    if (block[156] === 'x'.charCodeAt(0)) {
      if (ownSize > MAX_PAX_BYTES) throw new TarError('a header is too large')
      pax = readPax(await reader.take(ownSize))
      await reader.take(paddingOf(ownSize).length)
      continue
    }
    const size = Number(pax?.get('size') ?? ownSize)
    const name = pax?.get('path') ?? field(0, MAX_NAME_BYTES)
    pax = undefined
    const body = reader.stream(size)
    yield { name, size, body }
    for await (const _ of body);
    await reader.take(paddingOf(size).length)
  }
}

function readPax(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const [digits = ''] = /^\d+/.exec(new TextDecoder().decode(bytes.subarray(at, at + 8))) ?? []
    const length = Number(digits)
    if (length <= digits.length || at + length > bytes.length) throw new TarError('a header is damaged')
    const record = new TextDecoder().decode(bytes.subarray(at + digits.length + 1, at + length - 1))
    const cut = record.indexOf('=')
    records.set(record.slice(0, cut), record.slice(cut + 1))
    at += length
  }
  return records
}

class BlockReader {
  private readonly iterator: AsyncIterator<Uint8Array>
  private rest: Uint8Array = new Uint8Array()

  constructor(source: AsyncIterable<Uint8Array>) {
    this.iterator = source[Symbol.asyncIterator]()
  }

  async take(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size)
    let filled = 0
    for await (const chunk of this.stream(size)) {
      bytes.set(chunk, filled)
      filled += chunk.length
    }
    return bytes
  }

  /** To its end, where the source may compare a checksum. */
  async drain(): Promise<void> {
    let ended = false
    while (!ended) {
      if (this.rest.some((byte) => byte !== 0)) throw new TarError('it goes on behind its end')
      const { done, value } = await this.iterator.next()
      this.rest = value ?? new Uint8Array()
      ended = done === true
    }
  }

  async *stream(size: number): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0; ) {
      if (this.rest.length === 0) {
        const { done, value } = await this.iterator.next()
        if (done) throw new TarError('it ends too early')
        this.rest = value
        continue
      }
      const chunk = this.rest.subarray(0, left)
      this.rest = this.rest.subarray(chunk.length)
      left -= chunk.length
      yield chunk
    }
  }
}
