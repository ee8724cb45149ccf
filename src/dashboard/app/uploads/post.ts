import { errorOf } from '../../../client/error.ts'
import { RoostError } from '../../../client/index.ts'
import { language } from '../lib/language.ts'
import { accessToken } from '../lib/session.ts'

interface Options {
  signal: AbortSignal
  /** Called while the form is sent, with the bytes that have gone out. */
  onSent: (bytes: number) => void
}

/**
 * Sends a form with files. By XMLHttpRequest, because `fetch` does not tell how many bytes it has sent.
 * @returns the body of the answer, which has status 201
 * @throws RoostError, or the reason of the signal
 */
export async function postForm(path: string, form: FormData, options: Options): Promise<unknown> {
  let answer = await sent(path, form, options, await accessToken(false))
  if (answer.status === 401) answer = await sent(path, form, options, await accessToken(true))
  if (answer.status === 201) return answer.response
  const headers = new Headers()
  const wait = answer.getResponseHeader('retry-after')
  if (wait !== null) headers.set('retry-after', wait)
  throw errorOf(answer.status, answer.response, headers)
}

function sent(
  path: string,
  form: FormData,
  { signal, onSent }: Options,
  token: string | undefined,
): Promise<XMLHttpRequest> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<XMLHttpRequest>()
  const request = new XMLHttpRequest()
  let isOut = false
  // After that the server may have it all, and only the answer tells what is to be deleted.
  const abort = () => isOut || request.abort()
  request.open('POST', path)
  request.responseType = 'json'
  request.setRequestHeader('authorization', `Bearer ${token}`)
  request.setRequestHeader('accept-language', language.peek())
  request.upload.onprogress = ({ loaded }) => onSent(loaded)
  request.upload.onload = () => {
    isOut = true
  }
  request.onload = () => resolve(request)
  request.onerror = () => reject(new RoostError(0, 'UNREACHABLE', ''))
  request.onabort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  request.send(form)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
