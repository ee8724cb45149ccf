/** The floor of `upload`: a bare Bun server that writes the body of a request to a file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer } from '../support/answer.ts'

const directory = mkdtempSync(join(tmpdir(), 'roost-bench-floor-'))
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    const path = join(directory, crypto.randomUUID())
    const file = Bun.file(path).writer()
    for await (const chunk of request.body!) {
      file.write(chunk)
      await file.flush()
    }
    await file.end()
    await Bun.file(path).delete()
    return new Response(null, { status: 201 })
  },
})

const handlers = answer({ listen: () => server.port! })
export type UploadFloor = typeof handlers

process.on('SIGTERM', () => {
  rmSync(directory, { recursive: true, force: true })
  process.exit(0)
})
