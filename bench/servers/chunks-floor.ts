/**
 * The floor of `chunked`: a bare Bun server that writes each chunk to a file, and at the end all of them to one file. With
 * DIGEST, it takes the SHA-256 of that file too.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer } from '../support/answer.ts'

const directory = mkdtempSync(join(tmpdir(), 'roost-bench-floor-'))
let uploads = 0
const chunks = new Map<string, number>()

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const [, , , , id = '', what, index] = new URL(request.url).pathname.split('/')
    const folder = join(directory, id)
    if (id === 'init') {
      const { file_size, chunk_size } = (await request.json()) as { file_size: number; chunk_size: number }
      const upload_id = String(++uploads)
      const total_chunks = Math.ceil(file_size / chunk_size)
      chunks.set(upload_id, total_chunks)
      mkdirSync(join(directory, upload_id))
      return Response.json({ data: { upload_id, total_chunks } })
    }
    if (what === 'chunks') {
      await copy(request.body!, join(folder, index!))
      return Response.json({ data: {} })
    }
    const whole = Bun.file(join(folder, 'whole')).writer()
    const hash = process.env.DIGEST ? new Bun.CryptoHasher('sha256') : undefined
    for (let i = 0; i < chunks.get(id)!; i++) {
      for await (const bytes of Bun.file(join(folder, String(i))).stream()) {
        hash?.update(bytes)
        whole.write(bytes)
        await whole.flush()
      }
    }
    await whole.end()
    rmSync(folder, { recursive: true })
    return Response.json({ data: { file_id: id, sha256: hash?.digest('hex') } })
  },
})

async function copy(body: ReadableStream<Uint8Array>, path: string): Promise<void> {
  const file = Bun.file(path).writer()
  for await (const bytes of body) {
    file.write(bytes)
    await file.flush()
  }
  await file.end()
}

const handlers = answer({ listen: () => server.port! })
export type ChunksFloor = typeof handlers

process.on('SIGTERM', () => {
  rmSync(directory, { recursive: true, force: true })
  process.exit(0)
})
