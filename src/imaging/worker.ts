/**
 * The child process: one file, one answer, the end. It runs decoders on what a stranger sent, so it starts with no
 * secret, in an empty directory, under the limits that confine.ts sets.
 */
import { writeFileSync } from 'node:fs'
import { ThumbnailError, type WorkerAnswer, type WorkerRequest } from './protocol.ts'

const { input, kind, memoryMiB } = JSON.parse(process.argv[2]!) as WorkerRequest
preferToDie()
await Bun.write(Bun.stdout, `\n${JSON.stringify(await run().catch(failure))}\n`)
// At once: what the libraries would still tidy up goes with the process.
process.exit(0)

async function run(): Promise<WorkerAnswer> {
  const { toJpeg } = await import('./picture.ts')
  const { pixels, orientation, ...facts } = kind === 'pdf' ? await pdf() : await video()
  const { data, width, height } = await toJpeg(pixels, orientation)
  return { ...facts, width, height, jpeg: data.toString('base64') }
}

async function pdf() {
  const { renderPdf } = await import('./pdf.ts')
  return { ...(await reading(() => renderPdf(input, memoryMiB))), orientation: undefined }
}

async function video() {
  const { renderVideo } = await import('./video.ts')
  return await reading(() => renderVideo(input))
}

/** What fails while the file is read is the file's fault; what fails before is ours. */
async function reading<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ThumbnailError) throw error
    const text = String(error)
    throw new ThumbnailError(/out of memory/i.test(text) ? 'MEMORY' : 'UNREADABLE', text)
  }
}

function failure(error: unknown): WorkerAnswer {
  if (error instanceof ThumbnailError) return { code: error.code, message: error.message }
  return { code: 'CRASHED', message: String(error) }
}

/** When the machine runs out of memory, Linux should choose this process and not the server. */
function preferToDie(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // No Linux.
  }
}
