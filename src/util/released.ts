/**
 * Multipart parsers hand out a buffer of their own, which they use again, for bytes that looked like the beginning of a
 * boundary. It is as long as a boundary at most, and what is so small need not be given back.
 */
const SMALL_BYTES = 1024

/**
 * Gives each chunk's memory back as soon as the next one is asked for: the collector, which sees only small objects,
 * would let a hundred megabytes of them gather first.
 */
export async function* released(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk
    const { buffer, byteLength } = chunk
    // A part of a larger buffer has neighbours.
    const whole = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
    if (whole && byteLength > SMALL_BYTES) buffer.transfer(0)
  }
}
