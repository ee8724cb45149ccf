/**
 * The child process: it decodes one file, writes one answer and ends. Its decoders read an untrusted file, so confine.ts
 * starts it without secrets, in an empty directory and under limits.
 */
import { writeFileSync } from 'node:fs'
import type { Orientation, Pixels } from './picture.ts'
import {
  ImagingError,
  type Preview,
  type SourceKind,
  type WorkerAnswer,
  type WorkerRequest,
} from './protocol.ts'

const { input, kind, box, memoryMiB } = JSON.parse(process.argv[2]!) as WorkerRequest

/** Each kind imports only its own decoder. */
const decoders: Record<SourceKind, () => Promise<Decoded>> = {
  async pdf() {
    const { renderPdf } = await import('./pdf.ts')
    return await reading(() => renderPdf(input, box, memoryMiB))
  },
  async video() {
    const { renderVideo } = await import('./video.ts')
    return await reading(() => renderVideo(input, box))
  },
}

preferToDie()
await Bun.write(Bun.stdout, `\n${JSON.stringify(await run().catch(failure))}\n`)
// At once, because the end of the process frees everything that the libraries would free one by one.
process.exit(0)

interface Decoded extends Pick<Preview, 'durationSeconds' | 'pages'> {
  pixels: Pixels
  orientation?: Orientation
}

async function run(): Promise<WorkerAnswer> {
  const { toJpeg } = await import('./picture.ts')
  const { pixels, orientation, ...facts } = await decoders[kind]()
  const { data, width, height } = await toJpeg(pixels, orientation)
  return { ...facts, width, height, jpeg: data.toString('base64') }
}

/** An error while the file is read is the file's fault. An earlier one, such as a missing library, is the server's. */
async function reading<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ImagingError) throw error
    const text = String(error)
    throw new ImagingError(/out of memory/i.test(text) ? 'MEMORY' : 'UNREADABLE', text)
  }
}

function failure(error: unknown): WorkerAnswer {
  if (error instanceof ImagingError) return { code: error.code, message: error.message }
  return { code: 'CRASHED', message: String(error) }
}

/** When the machine runs out of memory, Linux should kill this process and not the server. */
function preferToDie(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // This is not Linux.
  }
}
