/**
 * Gives each chunk's memory back as soon as the next one is asked for: the collector, which sees only small objects,
 * would let a hundred megabytes of them gather first.
 */
export async function* released(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk
    const { buffer, byteLength } = chunk
    // A part of a larger buffer has neighbours.
    if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
  }
}
