/**
 * Multipart parsers hand out a buffer of their own, which they use again, for bytes that looked like the beginning of a
 * boundary. It is as long as a boundary at most, and what is so small need not be given back.
 */
const SMALL_BYTES = 1024

/**
 * Frees each chunk's memory as soon as the next one is read. The garbage collector, which sees only small objects, would
 * let a hundred megabytes of them accumulate first.
 */
export async function* released(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk
    const { buffer, byteLength } = chunk
    // Other chunks may be in the same buffer.
    const whole = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
    if (whole && byteLength > SMALL_BYTES) buffer.transfer(0)
  }
}
