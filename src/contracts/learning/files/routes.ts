import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { type FileAnswer, openFile } from '../../../core/materials/files.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { neverIdle } from '../../../http/idle.ts'
import { learning } from '../contract.ts'

/** The file's own. */
const ANY_TYPE = '*/*'
const Bytes = t.String({ format: 'binary' })

/** `GET /files/{file_path}`, outside the base URL: files and thumbnails, where no object store serves them. */
export const fileRoutes = (ctx: Context) =>
  new Elysia().get(
    '/files/*',
    async ({ params, request, server, set }) => {
      // Who may read a file depends on who asks, and changes: an error is not to be kept.
      set.headers.vary = [set.headers.vary, 'Authorization'].filter(Boolean).join(', ')
      set.headers['cache-control'] = 'no-store'
      const viewer = await optionalPrincipal(ctx, request)
      // A copy of a large object may take longer than a connection may be idle.
      const open = () => openFile(ctx, viewer, decoded(params['*']), request)
      return toResponse(await neverIdle(server, request, open), request)
    },
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

function toResponse(answer: FileAnswer, request: Request): Response {
  const { info, isPublic } = answer
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: info.etag,
    'last-modified': info.lastModified.toUTCString(),
    // Who may read it can change: caches ask each time, and the ETag answers them.
    'cache-control': isPublic ? 'public, no-cache' : 'private, no-cache',
  }
  if (!('content' in answer)) {
    if (answer.status === 416) headers['content-range'] = `bytes */${info.size}`
    return new Response(null, { status: answer.status, headers })
  }
  const { range, content } = answer
  headers['content-type'] = info.contentType
  headers['content-disposition'] = answer.disposition
  headers['content-length'] = String(range ? range.end - range.start + 1 : info.size)
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${info.size}`
  else if (content instanceof Blob && bunApplies(request)) {
    headers['content-range'] = `bytes 0-${info.size - 1}/${info.size}`
  }
  return new Response(content ?? counted(info.size), { status: answer.status, headers })
}

/**
 * Bun applies a Range by itself to a file that is sent with 200, also one that If-Range has ruled out; not to lists. A
 * Content-Range keeps it from that, and has no meaning for a 200 (RFC 9110 14.4).
 */
const bunApplies = ({ headers }: Request): boolean =>
  headers.has('range') && !/^bytes=[\d\s,-]*,[\d\s,-]*$/i.test(headers.get('range')!)

/** Elysia answers HEAD by counting the bytes of what GET answers; this is counted without being read. */
const counted = (byteLength: number) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue({ byteLength })
      controller.close()
    },
  })
