import { Elysia, t } from 'elysia'
import type { Core } from '../../core/context.ts'
import { type FileAnswer, openFile } from '../../core/materials/files.ts'
import { optionalPrincipal } from '../../http/authenticate.ts'
import { learning } from './contract.ts'

/** The file's own. */
const ANY_TYPE = '*/*'
const Bytes = t.String({ format: 'binary' })

/** `GET /files/{file_path}`, outside the base URL: files and thumbnails, where no object store serves them. */
export const fileRoutes = (ctx: Core) =>
  new Elysia().get(
    '/files/*',
    async ({ params, request }) =>
      toResponse(await openFile(ctx, await optionalPrincipal(ctx, request), decoded(params['*']), request)),
    {
      detail: learning.describe({
        summary: 'Fetch a file or a thumbnail; Range and If-None-Match are understood',
        tag: 'files',
        id: 'getFile',
        access: ['anyone', 'user'],
        response: Bytes,
        contentType: ANY_TYPE,
        answers: {
          206: { description: 'The part that Range asks for', response: Bytes, contentType: ANY_TYPE },
          304: { description: 'Not changed since the ETag of If-None-Match' },
          416: { description: 'The file does not have the part that Range asks for' },
        },
        errors: ['NOT_FOUND'],
      }),
    },
  )

/** Empty, which is no file, when it can't be decoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}

function toResponse(answer: FileAnswer): Response {
  const { info } = answer
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: info.etag,
    'last-modified': info.lastModified.toUTCString(),
    // Who may read it can change: caches ask each time, and the ETag answers them.
    'cache-control': 'private, no-cache',
  }
  if (!('body' in answer)) {
    if (answer.status === 416) headers['content-range'] = `bytes */${info.size}`
    return new Response(null, { status: answer.status, headers })
  }
  const { range } = answer
  headers['content-type'] = info.contentType
  headers['content-disposition'] = answer.disposition
  headers['content-length'] = String(range ? range.end - range.start + 1 : info.size)
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${info.size}`
  return new Response(answer.body ?? counted(info.size), { status: answer.status, headers })
}

/** Elysia answers HEAD by counting the bytes of what GET answers; this is counted without being read. */
const counted = (byteLength: number) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue({ byteLength })
      controller.close()
    },
  })
