/** Sends a video or PDF in one request: docs/contracts/learning.md, "Uploads". */

import { errorOf } from '../../../client/error.ts'
import { dataOf, RoostError } from '../../../client/index.ts'
import { language, texts } from '../lib/language.ts'
import { untilDone } from '../lib/retry.ts'
import { href } from '../lib/router.ts'
import { accessToken, api, live } from '../lib/session.ts'
import { waitingText } from './texts.ts'
import type { Report, Transfer } from './transfer.ts'

const t = texts({
  en: { noPreview: 'Uploaded, but no preview could be made of it.' },
  zh: { noPreview: '已上传，但无法生成预览。' },
})

export interface MaterialWish {
  kind: 'material'
  title: string
  description: string
}

export function materialTransfer(file: File, wish: MaterialWish, report: Report): Transfer {
  let id: number | undefined

  return {
    resumable: false,
    async send(signal) {
      // When the connection breaks before the answer, the event still tells that the material is complete.
      let completed: number | undefined
      const stop = live().on('upload.completed', ({ data }) => {
        if (data.title === wish.title && data.file_size === file.size) completed = data.material_id
      })
      const attempt = async () => completed ?? (await post(file, wish, report, signal))
      try {
        id = await untilDone(attempt, {
          signal,
          onWait: (error, seconds) => {
            report.sent(0)
            report.waits(waitingText(error, seconds))
          },
        })
      } finally {
        stop()
      }
      return href(`/materials/${id}`)
    },
    async follow(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const end = (status: 'completed' | 'failed') => resolve(status === 'completed' ? '' : t.noPreview)
      const stops = (['completed', 'failed'] as const).map((status) =>
        live().on(`thumbnail.${status}`, ({ data }) => {
          if (data.material_id === id) end(status)
        }),
      )
      signal.addEventListener('abort', () => reject(signal.reason))
      // The thumbnail may have been made before the handlers were there.
      dataOf(api().learning.upload['thumbnail-status']({ material_id: id! }).get()).then(
        ({ thumbnail_status: status }) => status !== 'pending' && end(status),
        reject,
      )
      return promise.finally(() => {
        for (const stop of stops) stop()
      })
    },
    async discard() {
      if (id !== undefined) await dataOf(api().learning.upload({ material_id: id }).delete())
    },
  }
}

/** XMLHttpRequest, because `fetch` does not tell how many bytes it has sent. @returns the id of the material */
async function post(file: File, wish: MaterialWish, report: Report, signal: AbortSignal): Promise<number> {
  const form = new FormData()
  form.append('title', wish.title)
  form.append('description', wish.description)
  form.append('file', file)
  let answer = await sent(form, report, signal, await accessToken(false))
  if (answer.status === 401) answer = await sent(form, report, signal, await accessToken(true))
  if (answer.status !== 201) {
    const headers = new Headers()
    const wait = answer.getResponseHeader('retry-after')
    if (wait !== null) headers.set('retry-after', wait)
    throw errorOf(answer.status, answer.response, headers)
  }
  return answer.response.id
}

function sent(
  form: FormData,
  report: Report,
  signal: AbortSignal,
  token: string | undefined,
): Promise<XMLHttpRequest> {
  const { promise, resolve, reject } = Promise.withResolvers<XMLHttpRequest>()
  const request = new XMLHttpRequest()
  const abort = () => request.abort()
  request.open('POST', '/api/v1/upload')
  request.responseType = 'json'
  request.setRequestHeader('authorization', `Bearer ${token}`)
  request.setRequestHeader('accept-language', language.peek())
  request.upload.onprogress = ({ loaded }) => report.sent(loaded)
  request.onload = () => resolve(request)
  request.onerror = () => reject(new RoostError(0, 'UNREACHABLE', ''))
  request.onabort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  request.send(form)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
