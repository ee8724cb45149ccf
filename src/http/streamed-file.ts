/** Text files of any length that are made while they are sent. */
import { acceptsCoding } from './accepts-coding.ts'
import { whileMayGoOn } from './authenticate.ts'
import type { Call } from './chapter.ts'
import type { AnswerHeaders } from './openapi/headers.ts'
import { varyBy } from './vary.ts'

/** Those of {@link streamedFile}, for the documentation of a route. */
export const FILE_HEADERS: AnswerHeaders = { 'Content-Disposition': 'always' }

/**
 * Sends the texts of `source`, at the pace at which the client reads: a client that stops reading costs one piece. The
 * answer breaks off, as an error for the client, when `source` throws and when the session of the request ends.
 * @param source yields pieces; each is asked for when the client has taken the one before
 * @throws the error of `source` at its first piece
 */
export async function streamedFile(
  { request, set }: Pick<Call, 'request' | 'set'>,
  { fileName, contentType }: { fileName: string; contentType: string },
  source: AsyncGenerator<string, void>,
): Promise<Response> {
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<string, void>> | undefined = source.next()
  // The database may be away. Once the answer has begun, its status could not say so.
  await next
  const end = () => void source.return()
  const texts = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // A stream pulls again only after it has got something, so a piece must not be empty.
          for (let piece = ''; piece === ''; ) {
            const { done, value } = await whileMayGoOn(request, next ?? source.next())
            next = undefined
            if (done) return controller.close()
            piece = value
            if (piece) controller.enqueue(encoder.encode(piece))
          }
        } catch (error) {
          end()
          controller.error(error)
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
  varyBy(set, 'Accept-Encoding')
  const gzip = acceptsCoding(request, 'gzip')
  return new Response(gzip ? compressed(texts) : texts, {
    headers: {
      'content-type': `${contentType}; charset=utf-8`,
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      ...(gzip && { 'content-encoding': 'gzip' }),
    },
  })
}

// The types of the two standards differ in what a chunk may be.
const compressed = (bytes: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
  bytes.pipeThrough(new CompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>)
