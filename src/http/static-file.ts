import { acceptsCoding } from './accepts-coding.ts'
import type { Call } from './chapter.ts'
import { varyBy } from './vary.ts'

/** A file in each form in which it is sent. */
export interface StaticFile {
  type: string
  bytes: Uint8Array
  brotli?: Uint8Array
  gzip?: Uint8Array
}

/** A text as a file. */
export function textFile(type: string, text: string): StaticFile {
  const bytes = new TextEncoder().encode(text)
  return { type, bytes, gzip: Bun.gzipSync(bytes) }
}

/** The answer with the file, in the smallest form that the client takes. */
export function sendFile(
  { request, set }: Pick<Call, 'request' | 'set'>,
  file: StaticFile,
  headers: Record<string, string>,
): Response {
  varyBy(set, 'Accept-Encoding')
  const [coding, body] =
    file.brotli && acceptsCoding(request, 'br')
      ? ['br', file.brotli]
      : file.gzip && acceptsCoding(request, 'gzip')
        ? ['gzip', file.gzip]
        : [undefined, file.bytes]
  return new Response(body as Uint8Array<ArrayBuffer>, {
    headers: {
      'content-type': file.type,
      'x-content-type-options': 'nosniff',
      ...(coding && { 'content-encoding': coding }),
      ...headers,
    },
  })
}
