/** One file in chunks, several at a time. */
import { answer } from '../support/answer.ts'

export interface ChunkedFile {
  port: number
  token: string
  /** Bytes of the file and of a chunk. */
  size: number
  chunkSize: number
}

const AT_ONCE = 4
/** The first bytes of a JPEG. The file has nothing that can be decoded. */
const HEAD = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0])

const handlers = answer({
  /** @returns the milliseconds from the beginning of the upload to the answer that says that it is complete */
  async upload({ port, token, size, chunkSize }: ChunkedFile) {
    const origin = `http://127.0.0.1:${port}`
    const headers = { authorization: `Bearer ${token}` }
    const filler = Buffer.alloc(chunkSize, crypto.getRandomValues(new Uint8Array(64 * 1024 - 1)))
    const first = Buffer.from(filler)
    first.set(HEAD)
    const startedAt = performance.now()
    const { upload_id, total_chunks } = await ask(`${origin}/v1/upload/chunked/init`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ filename: 'bench.jpg', file_size: size, chunk_size: chunkSize }),
    })
    const upload = `${origin}/v1/upload/chunked/${upload_id}`
    let next = 0
    const send = async () => {
      while (next < total_chunks) {
        const index = next++
        const rest = size - index * chunkSize
        const body = (index === 0 ? first : filler).subarray(0, Math.min(chunkSize, rest))
        await ask(`${upload}/chunks/${index}`, { method: 'PUT', headers, body })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, send))
    const { file_id } = await ask(`${upload}/complete`, { method: 'POST', headers })
    return { ms: performance.now() - startedAt, fileId: file_id as string }
  },
})
export type ChunksClient = typeof handlers

// biome-ignore lint/suspicious/noExplicitAny: the answers of two servers
async function ask(url: string, init: RequestInit): Promise<any> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${url} was answered ${response.status} ${await response.text()}`)
  return ((await response.json()) as { data: unknown }).data
}
