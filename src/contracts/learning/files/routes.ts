import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { openFile } from '../../../core/materials/files.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { fileResponse } from '../../../http/file-response.ts'
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
      return fileResponse(await neverIdle(server, request, open), request)
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
