/** Reads a body to its end without keeping it, and returns its size and hash. */
export async function digest(body: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const hash = new Bun.CryptoHasher('sha256')
  let size = 0
  for await (const chunk of body) {
    hash.update(chunk)
    size += chunk.byteLength
  }
  return { size, sha256: hash.digest('hex') }
}
