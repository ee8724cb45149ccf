/**
 * The child process of a preview: it reads one file, writes one answer and ends. Its decoders read an untrusted file, so
 * confine.ts starts it without secrets, in an empty directory and under limits.
 */
import { answerOnce, reading } from './child.ts'
import type { Orientation, Pixels } from './picture.ts'
import type { Facts, Size, SourceKind, WorkerRequest } from './protocol.ts'

interface Decoded extends Facts {
  pixels: Pixels
  orientation?: Orientation
}

interface Decoder {
  measure(request: WorkerRequest): Promise<Facts>
  render(request: WorkerRequest, box: Size): Promise<Decoded>
}

/** Each kind imports only its own decoder. */
const decoders: Record<SourceKind, Decoder> = {
  pdf: {
    async measure({ input, memoryMiB }) {
      const { measurePdf } = await import('./pdf.ts')
      return await reading(() => measurePdf(input, memoryMiB))
    },
    async render({ input, memoryMiB }, box) {
      const { renderPdf } = await import('./pdf.ts')
      return await reading(() => renderPdf(input, box, memoryMiB))
    },
  },
  video: {
    async measure({ input }) {
      const { measureVideo } = await import('./video.ts')
      return await reading(() => measureVideo(input))
    },
    async render({ input }, box) {
      const { renderVideo } = await import('./video.ts')
      return await reading(() => renderVideo(input, box))
    },
  },
}

await answerOnce<WorkerRequest>(async (request) => {
  const decoder = decoders[request.kind]
  if (!request.box) return await decoder.measure(request)
  const { toJpeg } = await import('./picture.ts')
  const { pixels, orientation, ...facts } = await decoder.render(request, request.box)
  const { data, width, height } = await toJpeg(pixels, orientation)
  return { ...facts, width, height, jpeg: data.toString('base64') }
})
