/** Takes SHA-256 digests off the main thread. The bytes of a digest are those of several files, one after the other. */
import { closeSync, openSync, readSync } from 'node:fs'

export interface DigestCall {
  call: number
  digest: number
  isFirst?: boolean
  /** The next file of the digest. Without it the digest is complete. */
  path?: string | undefined
}

export interface DigestAnswer {
  call: number
  /** Bytes of the file. */
  size?: number
  /** In lower-case hexadecimal. */
  sha256?: string
  failed?: string
}

declare const self: Worker

const READ_BYTES = 256 * 1024
/** The oldest digest is forgotten when more are incomplete at the same time, because many uploads never end. */
const MAX_DIGESTS = 1000

const buffer = new Uint8Array(READ_BYTES)
const hashes = new Map<number, Bun.CryptoHasher>()

self.onmessage = ({ data: { call, digest, isFirst, path } }: MessageEvent<DigestCall>) => {
  try {
    const hash = isFirst ? begin(digest) : hashes.get(digest)
    if (!hash) throw new Error('the digest is forgotten')
    if (path) {
      reply({ call, size: update(hash, path) })
    } else {
      hashes.delete(digest)
      reply({ call, sha256: hash.digest('hex') })
    }
  } catch (error) {
    hashes.delete(digest)
    reply({ call, failed: (error as Error).message })
  }
}

const reply = (answer: DigestAnswer) => self.postMessage(answer)

function begin(digest: number): Bun.CryptoHasher {
  const hash = new Bun.CryptoHasher('sha256')
  hashes.set(digest, hash)
  if (hashes.size > MAX_DIGESTS) hashes.delete(hashes.keys().next().value!)
  return hash
}

/** @returns the bytes of the file */
function update(hash: Bun.CryptoHasher, path: string): number {
  const file = openSync(path, 'r')
  try {
    let size = 0
    for (;;) {
      const read = readSync(file, buffer, 0, buffer.byteLength, null)
      if (read === 0) return size
      hash.update(buffer.subarray(0, read))
      size += read
    }
  } finally {
    closeSync(file)
  }
}
