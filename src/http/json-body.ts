import { AppError, invalid } from '../core/errors.ts'
import { parseJson, UnkeepableNumber } from '../util/json.ts'
import { isTooDeep, MAX_DEPTH, unstorableFields } from '../util/storable.ts'

/** The largest JSON body, in bytes. Uploads are streams and have other limits. */
const MAX_JSON_BYTES = 1024 * 1024

/**
 * Reads a JSON body, and stops as soon as it is too large. Every JSON body of every contract is an object.
 * @returns undefined without a body; null for an empty body of another type, so that Elysia's parsers leave it alone
 * @throws AppError PAYLOAD_TOO_LARGE, VALIDATION_FAILED, CLIENT_CLOSED
 */
export async function readJsonBody(request: Request, contentType: string): Promise<unknown> {
  if (!contentType) return undefined
  if (!/^application\/([\w.-]+\+)?json$/i.test(contentType.trim())) {
    // Refused here, because a model with defaults would make an object of any value.
    if (request.headers.get('content-length') !== '0') throw notAnObject()
    return null
  }
  const declared = Number(request.headers.get('content-length') ?? Number.NaN)
  if (declared > MAX_JSON_BYTES) throw tooLarge()
  const text = await readText(request, declared)
  if (text.trim() === '') return undefined
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    if (error instanceof UnkeepableNumber) throw invalid('', 'number', { number: error.literal })
    throw invalid('', 'json')
  }
  if (value === null || Array.isArray(value) || typeof value !== 'object') throw notAnObject()
  if (isTooDeep(value)) throw invalid('', 'depth', { limit: MAX_DEPTH })
  const unstorable = unstorableFields(text, value)
  if (unstorable.length > 0) {
    const issues = unstorable.map((field) => ({ field, rule: 'characters' as const }))
    throw new AppError('VALIDATION_FAILED', { issues })
  }
  return value
}

/** @throws AppError CLIENT_CLOSED, PAYLOAD_TOO_LARGE */
async function readText(request: Request, declared: number): Promise<string> {
  try {
    return Number.isNaN(declared) ? await readLimited(request) : await request.text()
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('CLIENT_CLOSED')
  }
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

const notAnObject = () => invalid('', 'json_object')
const tooLarge = () => new AppError('PAYLOAD_TOO_LARGE', { params: { limit: MAX_JSON_BYTES } })
