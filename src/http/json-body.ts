import { AppError, invalid } from '../core/errors.ts'
import { isStorable, isTooDeep, MAX_DEPTH } from '../util/storable.ts'

/** Largest JSON body, in bytes. Uploads are streams and have limits of their own. */
export const MAX_JSON_BYTES = 1024 * 1024

/**
 * Reads a JSON body, giving up as soon as it is too large. Every body of every contract is an object.
 * @returns undefined when there is none; null, unread, when it is of another type: no model fits that
 * @throws AppError PAYLOAD_TOO_LARGE, VALIDATION_FAILED
 */
export async function readJsonBody(request: Request, contentType: string): Promise<unknown> {
  if (!contentType) return undefined
  if (!/^application\/([\w.-]+\+)?json$/i.test(contentType.trim())) return null
  const declared = Number(request.headers.get('content-length') ?? Number.NaN)
  if (declared > MAX_JSON_BYTES) throw tooLarge()
  const text = Number.isNaN(declared) ? await readLimited(request) : await request.text()
  if (text.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('', 'json')
  }
  if (Array.isArray(value) || typeof value !== 'object') {
    throw invalid('', 'type', { expected: 'object' })
  }
  if (isTooDeep(value)) throw invalid('', 'depth', { limit: MAX_DEPTH })
  if (!isStorable(text, value)) throw invalid('', 'characters')
  return value
}

async function readLimited(request: Request): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_JSON_BYTES) throw tooLarge()
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const tooLarge = () => new AppError('PAYLOAD_TOO_LARGE', { params: { limit: MAX_JSON_BYTES } })
