/**
 * The file of an archive: a tar compressed by Zstandard, and behind it the SHA-256 of all bytes before, in a frame that
 * decompressors skip (RFC 8878, "Skippable Frames"). So one changed bit anywhere, and every missing byte, is noticed.
 */
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'

const SEAL_BYTES = 40
const MAGIC = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0])
/** Pictures and films do not get smaller, and rows get five times smaller at the fastest levels already. */
const LEVEL = 3

export class DamagedArchive extends Error {
  override name = 'DamagedArchive'
}

export const compressor = () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })

/** The chunks, and the seal behind them. */
export async function* sealed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
  yield Buffer.concat([MAGIC, hash.digest()])
}

/**
 * Compares the seal of a file with its bytes. Only then do other errors of an archive mean that a program wrote it wrongly.
 * @throws DamagedArchive
 */
export async function assertSealed(path: string, signal: AbortSignal): Promise<void> {
  const file = Bun.file(path)
  const end = Math.max(0, file.size - SEAL_BYTES)
  const seal = Buffer.from(await file.slice(end).bytes())
  if (seal.length < SEAL_BYTES || !seal.subarray(0, MAGIC.length).equals(MAGIC))
    throw new DamagedArchive('it is no backup of Roost, or its end is missing')
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of file.slice(0, end).stream()) {
    signal.throwIfAborted()
    hash.update(chunk)
  }
  if (!hash.digest().equals(seal.subarray(MAGIC.length))) throw new DamagedArchive('its checksum is wrong')
}

/**
 * What a file with a seal holds.
 * @throws DamagedArchive
 */
export async function* unsealed(path: string): AsyncGenerator<Uint8Array> {
  const file = Bun.file(path)
  const decompress = createZstdDecompress()
  const feeding = pipeline(file.slice(0, file.size - SEAL_BYTES).stream(), decompress)
  // The reader of the stream gets the error.
  feeding.catch(() => {})
  try {
    yield* decompress
  } catch (error) {
    throw new DamagedArchive(`its compression is damaged (${(error as Error).message})`)
  } finally {
    decompress.destroy()
  }
}
