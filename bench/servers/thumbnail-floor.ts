/** The floor of thumbnails: makes each as the server does, one after the other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderPreview } from '../../src/imaging/render.ts'
import { answer } from '../support/answer.ts'

const directory = mkdtempSync(join(tmpdir(), 'roost-bench-floor-'))

const handlers = answer({
  /** @returns milliseconds for all of them */
  async render(input: string, times: number) {
    const startedAt = performance.now()
    for (let i = 0; i < times; i++) {
      await renderPreview({
        input,
        kind: 'video',
        box: { width: 640, height: 360 },
        output: join(directory, 'thumbnail.jpg'),
      })
    }
    return performance.now() - startedAt
  },
})
export type ThumbnailFloor = typeof handlers

process.on('SIGTERM', () => {
  rmSync(directory, { recursive: true, force: true })
  process.exit(0)
})
