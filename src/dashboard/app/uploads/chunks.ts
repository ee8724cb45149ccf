/** Sends the file of a photo in chunks: docs/contracts/portfolio.md, "Chunked uploads". */
import { dataOf } from '../../../client/index.ts'
import { keep, kept } from '../lib/kept.ts'
import { api } from '../lib/session.ts'
import { deleted, type FileId, patient, type Report, type Sender } from './transfer.ts'

const KB = 1024
/** A file has some 50 chunks, so that its progress moves and a lost chunk costs little. */
const chunkSizeOf = (size: number): number =>
  Math.min(8192 * KB, Math.max(256 * KB, Math.ceil(size / 50 / KB) * KB))

const chunked = () => api().portfolio.upload.chunked

export function inChunks(file: File, report: Report): Sender {
  const chunkSize = chunkSizeOf(file.size)
  const bytesOf = (index: number) => Math.min(chunkSize, file.size - index * chunkSize)
  let uploadId = unfinished(file)

  /** @returns the numbers of the chunks that the server lacks */
  const open = async (signal: AbortSignal): Promise<number[]> => {
    if (uploadId !== undefined) {
      const { data, error } = await chunked()({ upload_id: uploadId }).get({ signal })
      if (data?.data.chunk_size === chunkSize) return data.data.missing_chunks
      if (error && error.status !== 404) throw error
      uploadId = undefined
    }
    const { data } = await dataOf(
      chunked().init.post(
        { filename: file.name, file_size: file.size, mime_type: file.type, chunk_size: chunkSize },
        { signal },
      ),
    )
    uploadId = data.upload_id
    remember(file, uploadId)
    return Array.from({ length: data.total_chunks }, (_, index) => index)
  }

  return {
    resumable: true,
    async send(signal) {
      const missing = await patient(() => open(signal), report, signal)
      const upload = chunked()({ upload_id: uploadId! })
      let sent = file.size - missing.reduce((sum, index) => sum + bytesOf(index), 0)
      report.sent(sent)
      for (const index of missing) {
        const chunk = file.slice(index * chunkSize, index * chunkSize + bytesOf(index))
        const put = () => dataOf(upload.chunks({ chunk_index: index }).put(chunk, { signal }))
        await patient(put, report, signal)
        sent += chunk.size
        report.sent(sent)
      }
      const complete = () => dataOf(upload.complete.post(undefined, { signal }))
      const { data } = await patient(complete, report, signal)
      forget(file)
      return data.file_id as FileId
    },
    async discard() {
      forget(file)
      if (uploadId === undefined) return
      const { data } = await chunked()({ upload_id: uploadId }).get()
      // The server may have completed it while the answer was on its way.
      const file_id = data?.data.file_id as FileId | null | undefined
      if (file_id) await deleted(api().portfolio.upload({ file_id }).delete())
      else await deleted(chunked()({ upload_id: uploadId }).delete())
    },
  }
}

/** Unfinished uploads, so that a file that is chosen again after the page was closed goes on where it stopped. */
const KEY = 'roost.uploads'
/** The newest ones. The server has mostly deleted older ones: it does so after a day without a chunk. */
const MOST_KEPT = 40

type Unfinished = [file: string, uploadId: string][]

const nameOf = (file: File) => [file.name, file.size, file.lastModified].join('/')
const all = (): Unfinished => JSON.parse(kept(KEY) ?? '[]')
const others = (file: File): Unfinished => all().filter(([name]) => name !== nameOf(file))
const unfinished = (file: File) => all().find(([name]) => name === nameOf(file))?.[1]
const remember = (file: File, uploadId: string) =>
  keep(KEY, JSON.stringify([...others(file), [nameOf(file), uploadId]].slice(-MOST_KEPT)))
const forget = (file: File) => keep(KEY, JSON.stringify(others(file)))
