/** Sends the file of a photo, and makes a photo of it. */
import { dataOf } from '../../../client/index.ts'
import { texts } from '../lib/language.ts'
import { href } from '../lib/router.ts'
import { api, live } from '../lib/session.ts'
import { inChunks } from './chunks.ts'
import { isSmall, together } from './together.ts'
import { deleted, type FileId, patient, type Report, type Transfer } from './transfer.ts'

const t = texts({
  en: { unreadable: 'The server could not process this photo. Its file may be damaged.' },
  zh: { unreadable: '服务器无法处理这张照片，文件可能已损坏。' },
})

export interface PhotoWish {
  kind: 'photo'
  title: string
  status: 'draft' | 'published'
  visibility: 'public' | 'private'
  tags: string[]
}

export function photoTransfer(file: File, { kind: _, ...fields }: PhotoWish, report: Report): Transfer {
  const shares = isSmall(file)
  const sender = shares ? together(file, report) : inChunks(file, report)
  const key = crypto.randomUUID()
  let fileId: FileId | undefined

  return {
    resumable: sender.resumable,
    shares,
    async send(signal) {
      fileId ??= await sender.send(signal)
      const file_id = fileId
      // With a key, so that a request whose answer is lost makes one photo all the same.
      const options = { signal, headers: { 'idempotency-key': key } }
      const make = () => dataOf(api().portfolio.photos.post({ ...fields, file_id }, options))
      const { data: photo } = await patient(make, report, signal)
      return href(`/photos/${photo.id}`)
    },
    follow(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const stop = live().watch(`upload:${fileId!}`, ({ status, percent }) => {
        report.processed(percent)
        if (status === 'completed') resolve('')
        else if (status === 'failed') resolve(t.unreadable)
      })
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise.finally(stop)
    },
    async discard() {
      if (fileId === undefined) await sender.discard()
      else await deleted(api().portfolio.upload({ file_id: fileId }).delete())
    },
  }
}
