/** What an API said when it refused, for the log: never a key, never what somebody wrote in a conversation. */

import { cutText } from '../util/cut.ts'
import { isJsonObject } from '../util/json.ts'
import { ModelError, type ModelFault } from './model.ts'

const MAX_BODY = 100_000
const MAX_REASON = 500
/** So many characters of a conversation in a row are taken for a quotation. */
const QUOTATION = 8
const HIDDEN = '[…]'

/** An answer that is no success, or an error in the middle of one. */
export interface ApiFault {
  /** Of HTTP, or what the error says it would be. */
  status: number | undefined
  /** As it came. */
  body: string
}

/** The body of an answer that refuses; its beginning, when it is a long one. */
export async function bodyOf(body: ReadableStream<Uint8Array>, max = MAX_BODY): Promise<string> {
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > max) break
    }
  } catch {
    // What has come of it has to do.
  }
  return text
}

/** An error in a stream has no status of its own; most say one. */
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
  /** Everything of the conversation that was sent, which an API may quote. */
  said: string
}

/** The type, code and message of an error, without what is secret. */
export function reasonIn(body: string, secrets: Secrets): string {
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

/** Hides the key, whatever looks like one, and every quotation of the conversation. */
function redact(reason: string, { key, said }: Secrets): string {
  const hidden = new Uint8Array(reason.length)
  const hide = (start: number, length: number) => hidden.fill(1, start, start + length)
  for (const { index, 0: found } of reason.matchAll(/\b(?:sk|pk|key|org|proj)-[\w*.-]+|\bBearer\s+\S+/gi)) {
    hide(index, found.length)
  }
  const spoken = fold(said.replace(/\s+/g, ' '))
  // Short ones too: what stands in quotes, names and figures.
  for (const { index, 0: found, groups } of reason.matchAll(/(['"`“‘])(?<quoted>.+?)['"`”’]/g)) {
    if (spoken.includes(fold(groups!.quoted!.trim().replaceAll('\\n', ' ')))) hide(index, found.length)
  }
  for (const { index, 0: word } of reason.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (/\p{N}|\p{Lu}/u.test(word) && said.includes(word)) hide(index, word.length)
  }
  const heard = fold(reason)
  for (const secret of [fold(key ?? ''), spoken]) {
    for (let i = 0; i < heard.length; i++) {
      // Ideographs say more in fewer characters.
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

/** The same text in another spelling; as long as before, so that places stay. */
function fold(text: string): string {
  const spaced = text.replace(/\s/g, ' ')
  const lower = spaced.toLowerCase()
  return lower.length === spaced.length ? lower : spaced
}
