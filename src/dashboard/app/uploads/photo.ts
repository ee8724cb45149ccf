/** Sends a photo in chunks, and makes a photo of the file: docs/contracts/portfolio.md, "Chunked uploads". */
import { dataOf } from '../../../client/index.ts'
import { keep, kept } from '../lib/kept.ts'
import { texts } from '../lib/language.ts'
import { untilDone } from '../lib/retry.ts'
import { href } from '../lib/router.ts'
import { api, live } from '../lib/session.ts'
import { waitingText } from './texts.ts'
import type { Report, Transfer } from './transfer.ts'

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

const KB = 1024
/** A file has some 50 chunks, so that its progress moves and a lost chunk costs little. */
const chunkSizeOf = (size: number): number =>
  Math.min(8192 * KB, Math.max(256 * KB, Math.ceil(size / 50 / KB) * KB))

const uploads = () => api().portfolio.upload

export function photoTransfer(file: File, wish: PhotoWish, report: Report): Transfer {
  const chunkSize = chunkSizeOf(file.size)
  const key = crypto.randomUUID()
  let uploadId = unfinished(file)
  let fileId: `upload_${string}` | undefined

  const open = async (signal: AbortSignal): Promise<number[]> => {
    if (uploadId !== undefined) {
      const { data, error } = await uploads().chunked({ upload_id: uploadId }).get({ signal })
      if (data?.data.chunk_size === chunkSize) return data.data.missing_chunks
      if (error && error.status !== 404) throw error
      uploadId = undefined
    }
    const { data } = await dataOf(
      uploads().chunked.init.post(
        { filename: file.name, file_size: file.size, mime_type: file.type, chunk_size: chunkSize },
        { signal },
      ),
    )
    uploadId = data.upload_id
    remember(file, uploadId)
    return Array.from({ length: data.total_chunks }, (_, index) => index)
  }

  const sendChunks = async (signal: AbortSignal, patient: <T>(call: () => Promise<T>) => Promise<T>) => {
    const missing = await patient(() => open(signal))
    const bytesOf = (index: number) => Math.min(chunkSize, file.size - index * chunkSize)
    let sent = file.size - missing.reduce((sum, index) => sum + bytesOf(index), 0)
    report.sent(sent)
    for (const index of missing) {
      const chunk = file.slice(index * chunkSize, index * chunkSize + bytesOf(index))
      await patient(() =>
        dataOf(
          uploads().chunked({ upload_id: uploadId! }).chunks({ chunk_index: index }).put(chunk, { signal }),
        ),
      )
      sent += chunk.size
      report.sent(sent)
    }
  }

  return {
    resumable: true,
    async send(signal) {
      const patient = <T>(call: () => Promise<T>) =>
        untilDone(call, {
          signal,
          onWait: (error, seconds) => report.waits(waitingText(error, seconds)),
        })
      if (fileId === undefined) {
        await sendChunks(signal, patient)
        const { data } = await patient(() =>
          dataOf(uploads().chunked({ upload_id: uploadId! }).complete.post(undefined, { signal })),
        )
        fileId = data.file_id as `upload_${string}`
        forget(file)
      }
      const { kind: _, ...fields } = wish
      const { data: photo } = await patient(() =>
        dataOf(
          // With a key, so that a request whose answer is lost makes one photo all the same.
          api().portfolio.photos.post(
            { ...fields, file_id: fileId! },
            { signal, headers: { 'idempotency-key': key } },
          ),
        ),
      )
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
      forget(file)
      if (fileId !== undefined) await uploads()({ file_id: fileId }).delete()
      else if (uploadId !== undefined) await uploads().chunked({ upload_id: uploadId }).delete()
    },
  }
}

/** Unfinished uploads, so that a file that is chosen again after the page was closed goes on where it stopped. */
const KEY = 'roost.uploads'
/** The server deletes an upload after a day without a chunk. */
const MOST_KEPT = 40

type Unfinished = [file: string, uploadId: string][]

const nameOf = (file: File) => [file.name, file.size, file.lastModified].join('/')
const all = (): Unfinished => JSON.parse(kept(KEY) ?? '[]')
const others = (file: File): Unfinished => all().filter(([name]) => name !== nameOf(file))
const unfinished = (file: File) => all().find(([name]) => name === nameOf(file))?.[1]
const remember = (file: File, uploadId: string) =>
  keep(KEY, JSON.stringify([...others(file), [nameOf(file), uploadId]].slice(-MOST_KEPT)))
const forget = (file: File) => keep(KEY, JSON.stringify(others(file)))
