import type { Context } from '../../../core/context.ts'
import { openFile } from '../../../core/served-files.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { type Call, chapter } from '../../../http/chapter.ts'
import { FILE_ANSWERS, fileResponse } from '../../../http/file-response.ts'
import { neverIdle } from '../../../http/idle.ts'
import { varyBy } from '../../../http/vary.ts'
import { learning } from '../contract.ts'

const { routes, route } = chapter(learning, 'files')

/** `GET /files/{file_path}` is outside the base URL. It serves the files, of every contract, that no object store serves. */
export const fileRoutes = (ctx: Context) =>
  routes(ctx).get(
    '/files/*',
    sendFile,
    route({
      summary: 'Fetch a file or a thumbnail; Range and If-None-Match are understood',
      id: 'getFile',
      access: ['anyone', 'user'],
      ...FILE_ANSWERS,
      errors: ['NOT_FOUND', 'ADDRESS_EXPIRED'],
    }),
  )

async function sendFile({ ctx, params, request, server, set }: Call & { params: { '*': string } }) {
  // Who may read a file depends on the user and changes, so that caches must not store an error.
  varyBy(set, 'Authorization')
  set.headers['cache-control'] = 'no-store'
  const viewer = await optionalPrincipal(ctx, request)
  // A disk may need longer to open a large object than a connection may be idle.
  const open = () => openFile(ctx, viewer, decoded(params['*']), request)
  return fileResponse(await neverIdle(server, request, open), request)
}

/** @returns an empty path, which names no file, when it cannot be decoded */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}
