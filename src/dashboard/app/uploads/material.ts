/** Sends a video or PDF in one request: docs/contracts/learning.md, "Uploads". */
import { dataOf } from '../../../client/index.ts'
import { texts } from '../lib/language.ts'
import { href } from '../lib/router.ts'
import { api, live } from '../lib/session.ts'
import { postForm } from './post.ts'
import { deleted, patient, type Report, type Transfer } from './transfer.ts'

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
  let sending: Promise<unknown> | undefined

  const send = async (signal: AbortSignal) => {
    // When the connection breaks before the answer, the event still tells that the material is complete.
    let completed: number | undefined
    const stop = live().on('upload.completed', ({ data }) => {
      if (data.title === wish.title && data.file_size === file.size) completed = data.material_id
    })
    const attempt = async () => completed ?? (await post(file, wish, report, signal))
    try {
      const waits = (text: string) => {
        report.sent(0)
        report.waits(text)
      }
      id = await patient(attempt, { waits }, signal)
    } finally {
      stop()
    }
    return href(`/materials/${id}`)
  }

  return {
    resumable: false,
    shares: false,
    send(signal) {
      const sent = send(signal)
      sending = sent.catch(() => {})
      return sent
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
      await sending
      if (id !== undefined) await deleted(api().learning.upload({ material_id: id }).delete())
    },
  }
}

async function post(file: File, wish: MaterialWish, report: Report, signal: AbortSignal): Promise<number> {
  const form = new FormData()
  form.append('title', wish.title)
  form.append('description', wish.description)
  form.append('file', file)
  const answer = await postForm('/api/v1/upload', form, { signal, onSent: report.sent })
  return (answer as { id: number }).id
}
