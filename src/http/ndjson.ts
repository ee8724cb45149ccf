import type { Call } from './chapter.ts'
import { streamedFile } from './streamed-file.ts'

/** A {@link streamedFile} of one JSON object a line. */
export const ndjsonFile = (
  call: Pick<Call, 'request' | 'set'>,
  fileName: string,
  source: AsyncGenerator<object[], void>,
): Promise<Response> => streamedFile(call, { fileName, contentType: 'application/x-ndjson' }, linesOf(source))

async function* linesOf(source: AsyncGenerator<object[], void>): AsyncGenerator<string, void> {
  for await (const objects of source) yield objects.map((object) => `${JSON.stringify(object)}\n`).join('')
}
