/** Files of one JSON object a line, of any length. */
import { acceptsGzip } from './accepts-gzip.ts'
import { whileMayGoOn } from './authenticate.ts'

/**
 * Sends the objects of `source`, at the pace at which the client reads: a client that stops reading costs one piece. The
 * answer breaks off, as an error for the client, when `source` throws and when the session of the request ends.
 * @param source yields pieces; each is asked for when the client has taken the one before
 * @throws the error of `source` at its first piece
 */
export async function ndjsonFile(
  request: Request,
  fileName: string,
  source: AsyncGenerator<object[], void>,
): Promise<Response> {
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<object[], void>> | undefined = source.next()
  // The database may be away. Once the answer has begun, its status could not say so.
  await next
  const end = () => void source.return()
  const lines = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // A stream pulls again only after it has got something, so a piece must not be empty.
          for (let piece = ''; piece === ''; ) {
            const { done, value } = await whileMayGoOn(request, next ?? source.next())
            next = undefined
            if (done) return controller.close()
            piece = value.map((line) => `${JSON.stringify(line)}\n`).join('')
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
  const gzip = acceptsGzip(request)
  return new Response(gzip ? compressed(lines) : lines, {
    headers: {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      vary: 'accept-encoding',
      ...(gzip && { 'content-encoding': 'gzip' }),
    },
  })
}

// The types of the two standards differ in what a chunk may be.
const compressed = (bytes: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
  bytes.pipeThrough(new CompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>)
