/**
 * The child process of a preview: it decodes one file, writes one answer and ends. Its decoders read an untrusted file, so
 * confine.ts starts it without secrets, in an empty directory and under limits.
 */
import { answerOnce, reading } from './child.ts'
import type { Orientation, Pixels } from './picture.ts'
import type { Preview, SourceKind, WorkerRequest } from './protocol.ts'

interface Decoded extends Pick<Preview, 'durationSeconds' | 'pages'> {
  pixels: Pixels
  orientation?: Orientation
}

/** Each kind imports only its own decoder. */
const decoders: Record<SourceKind, (request: WorkerRequest) => Promise<Decoded>> = {
  async pdf({ input, box, memoryMiB }) {
    const { renderPdf } = await import('./pdf.ts')
    return await reading(() => renderPdf(input, box, memoryMiB))
  },
  async video({ input, box }) {
    const { renderVideo } = await import('./video.ts')
    return await reading(() => renderVideo(input, box))
  },
}

await answerOnce<WorkerRequest>(async (request) => {
  const { toJpeg } = await import('./picture.ts')
  const { pixels, orientation, ...facts } = await decoders[request.kind](request)
  const { data, width, height } = await toJpeg(pixels, orientation)
  return { ...facts, width, height, jpeg: data.toString('base64') }
})
