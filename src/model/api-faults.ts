/** The reason of an API's refusal for the log, without keys and without text of the conversation. */

import { cutText } from '../util/cut.ts'
import { isJsonObject } from '../util/json.ts'
import { ModelError, type ModelFault } from './model.ts'

const MAX_BODY = 100_000
const MAX_REASON = 500
/** So many consecutive characters of a conversation count as a quotation of it. */
const QUOTATION = 8
const HIDDEN = '[…]'

/** An answer with an error status, or an error in the middle of a stream. */
export interface ApiFault {
  /** The status of HTTP, or the one that an error in a stream names. */
  status: number | undefined
  /** Unchanged. */
  body: string
}

/** Reads the body of an answer, at most about `max` characters of it. */
export async function bodyOf(body: ReadableStream<Uint8Array>, max = MAX_BODY): Promise<string> {
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > max) break
    }
  } catch {
    // The connection broke: the part that has arrived is used.
  }
  return text
}

/** An error in a stream. It has no HTTP status, but most APIs write one into it. */
export function faultIn(error: unknown): ApiFault {
  const { code, status } = isJsonObject(error) ? error : {}
  const said = [status, code].map(Number).find((one) => one >= 400 && one < 600)
  return { status: said, body: JSON.stringify({ error }) }
}

export function toModelError({ status, body }: ApiFault, secrets: Secrets): ModelError {
  const reason = reasonIn(body, secrets)
  const cause = new Error(`the model's API answered ${status ?? 'an error'}${reason && `: ${reason}`}`)
  return new ModelError(codeOf(status), cause)
}

function codeOf(status: number | undefined): ModelFault {
  if (status === 429) return 'MODEL_RATE_LIMITED'
  return status === undefined || status >= 500 || status === 408 ? 'MODEL_UNAVAILABLE' : 'MODEL_REFUSED'
}

export interface Secrets {
  key: string | undefined
  /** All text of the conversation that was sent, because an API may quote it. */
  said: string
}

/** The type, code and message of an error, without secrets. */
function reasonIn(body: string, secrets: Secrets): string {
  const { type, code, param, message } = errorIn(body)
  const facts = [type, code, param].filter((fact) => ['string', 'number'].includes(typeof fact))
  return [message, facts.length > 0 && `(${facts.join(', ')})`]
    .filter(Boolean)
    .map((part) => redact(cutText(String(part).replace(/\s+/g, ' ').trim(), MAX_REASON, '…'), secrets))
    .join(' ')
}

function errorIn(body: string): Record<string, unknown> {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return { message: body.replace(/<[^>]*>/g, ' ') }
  }
  const first: unknown = Array.isArray(answer) ? answer[0] : answer
  const error = (first as { error?: unknown } | null)?.error ?? first
  if (typeof error === 'string') return { message: error }
  if (typeof error !== 'object' || error === null) return {}
  const { message, detail } = error as Record<string, unknown>
  return { ...error, message: typeof message === 'string' ? message : JSON.stringify(detail ?? error) }
}

/** Hides the key, all text that looks like a key, and every quotation of the conversation. */
function redact(reason: string, { key, said }: Secrets): string {
  const hidden = new Uint8Array(reason.length)
  const hide = (start: number, length: number) => hidden.fill(1, start, start + length)
  for (const { index, 0: found } of reason.matchAll(/\b(?:sk|pk|key|org|proj)-[\w*.-]+|\bBearer\s+\S+/gi)) {
    hide(index, found.length)
  }
  const spoken = fold(said.replace(/\s+/g, ' '))
  // Short quotations too: text in quotation marks, names and figures.
  for (const { index, 0: found, groups } of reason.matchAll(/(['"`“‘])(?<quoted>.+?)['"`”’]/g)) {
    if (spoken.includes(fold(groups!.quoted!.trim().replaceAll('\\n', ' ')))) hide(index, found.length)
  }
  for (const { index, 0: word } of reason.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (/\p{N}|\p{Lu}/u.test(word) && said.includes(word)) hide(index, word.length)
  }
  const heard = fold(reason)
  for (const secret of [fold(key ?? ''), spoken]) {
    for (let i = 0; i < heard.length; i++) {
      // Two Chinese characters can already be a quotation, because each carries more meaning than a letter.
      const length = /^[^ -~]{2}/.test(heard.slice(i, i + 2)) ? 2 : QUOTATION
      if (i + length <= heard.length && secret.includes(heard.slice(i, i + length))) hide(i, length)
    }
  }
  let text = ''
  for (let i = 0; i < reason.length; i++) {
    if (!hidden[i]) text += reason[i]
    else if (!text.endsWith(HIDDEN)) text += HIDDEN
  }
  return text.toWellFormed()
}

/** The text in lower case and with plain spaces. It keeps its length, so that positions stay the same. */
function fold(text: string): string {
  const spaced = text.replace(/\s/g, ' ')
  const lower = spaced.toLowerCase()
  return lower.length === spaced.length ? lower : spaced
}
