import { t } from 'elysia'
import type { FileAnswer } from '../core/files/open.ts'
import type { AnswerHeaders } from './openapi/headers.ts'
import type { RouteDescription } from './openapi/route.ts'

const ofVersion: AnswerHeaders = { 'Accept-Ranges': 'always', ETag: 'always', 'Last-Modified': 'always' }
const ofContent: AnswerHeaders = { ...ofVersion, 'Content-Disposition': 'always' }
/** The content type is that of the file. */
const bytes = { response: t.String({ format: 'binary' }), contentType: '*/*' }

/** The answers of {@link fileResponse} and what they depend on, for the documentation of a route. */
export const FILE_ANSWERS = {
  ...bytes,
  requestHeaders: {
    Range: 'optional',
    'If-Range': 'optional',
    'If-None-Match': 'optional',
    'If-Modified-Since': 'optional',
  },
  headers: { ...ofContent, 'Content-Range': 'sometimes' },
  answers: {
    206: {
      description: 'The part that Range asks for',
      ...bytes,
      headers: { ...ofContent, 'Content-Range': 'always' },
    },
    304: { description: 'Not changed since the ETag of If-None-Match', headers: ofVersion },
    416: {
      description: 'The file does not have the part that Range asks for',
      headers: { ...ofVersion, 'Content-Range': 'always' },
    },
  },
} satisfies Partial<RouteDescription>

/** The answer of a route that sends a stored file (RFC 9110, chapters 13 and 14). */
export function fileResponse(answer: FileAnswer, request: Request): Response {
  const { info, isPublic } = answer
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: info.etag,
    'last-modified': info.lastModified.toUTCString(),
    // Who may read the file can change, so a cache asks the server each time, and the server compares the ETag.
    'cache-control': isPublic ? 'public, no-cache' : 'private, no-cache',
  }
  if (!('content' in answer)) {
    if (answer.status === 416) headers['content-range'] = `bytes */${info.size}`
    return new Response(null, { status: answer.status, headers })
  }
  const { range, content } = answer
  headers['content-type'] = info.contentType
  headers['content-disposition'] = answer.saveAs === undefined ? answer.disposition : savedAs(answer.saveAs)
  headers['content-length'] = String(range ? range.end - range.start + 1 : info.size)
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${info.size}`
  else if (content instanceof Blob && bunAppliesRange(request)) {
    headers['content-range'] = `bytes 0-${info.size - 1}/${info.size}`
  }
  return new Response(content ?? streamCounting(info.size), { status: answer.status, headers })
}

/** Saves the file under a name of any script (RFC 6266, appendix D; RFC 8187). */
function savedAs(name: string): string {
  const ascii = name.replace(/[^ !#$&+.0-9A-Z^_`a-z{}~()-]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/**
 * Whether Bun would send only a part of a file that is answered with 200. Bun applies a Range header with one range by
 * itself, even one that If-Range rules out. An answer with a Content-Range is sent whole; the header has no meaning in a
 * 200 (RFC 9110, 14.4).
 */
const bunAppliesRange = ({ headers }: Request): boolean =>
  headers.has('range') && !/^bytes=[\d\s,-]*,[\d\s,-]*$/i.test(headers.get('range')!)

/**
 * A body for the answer to HEAD. Elysia answers HEAD by adding up the `byteLength` of the chunks that GET would send, so
 * one chunk that only names its length spares the reading of the file.
 */
const streamCounting = (byteLength: number) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue({ byteLength })
      controller.close()
    },
  })
