/** A body of one chunk, for what is in memory already. */
export async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
