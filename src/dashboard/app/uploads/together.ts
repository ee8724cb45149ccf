/**
 * Sends the files of small photos several to a request, because the server limits how many uploads a user begins in a minute:
 * docs/contracts/portfolio.md, "Uploads".
 */
import { dataOf, RoostError } from '../../../client/index.ts'
import { api, live } from '../lib/session.ts'
import { postForm } from './post.ts'
import { type FileId, patient, type Report, type Sender } from './transfer.ts'

const MB = 1024 * 1024
/** When the connection breaks, the file under way is sent again from its beginning. Larger ones go in chunks. */
const SMALL = 8 * MB
const [MOST_FILES, MOST_BYTES] = [10, 32 * MB]

export const isSmall = (file: File): boolean => file.size <= SMALL

/** The first of the files that may share a request. They differ in name and size, by which answers and events are told apart. */
export function firstRequest<T extends { file: File }>(waiting: readonly T[]): T[] {
  const taken: T[] = []
  let bytes = 0
  for (const one of waiting) {
    const { name, size } = one.file
    if (taken.length === MOST_FILES || (taken.length > 0 && bytes + size > MOST_BYTES)) break
    if (taken.some(({ file }) => file.name === name || file.size === size)) continue
    taken.push(one)
    bytes += size
  }
  return taken
}

interface Part {
  file: File
  report: Report
  signal: AbortSignal
  state: 'open' | 'arrived' | 'failed'
  fileId?: FileId
  resolve(id: FileId): void
  reject(error: unknown): void
}

let collected: Part[] = []

/** All that are sent before the browser goes on share one request. */
export const together = (file: File, report: Report): Sender => ({
  resumable: false,
  send(signal) {
    const { promise, resolve, reject } = Promise.withResolvers<FileId>()
    if (collected.length === 0) {
      queueMicrotask(() => {
        const parts = collected
        collected = []
        void sendParts(parts)
      })
    }
    collected.push({ file, report, signal, state: 'open', resolve, reject })
    return promise
  },
  // `sendParts` deletes a file that arrives after its upload was cancelled.
  async discard() {},
})

async function sendParts(parts: readonly Part[]): Promise<void> {
  const allCancelled = new AbortController()
  for (const { signal, reject } of parts) {
    signal.addEventListener('abort', () => {
      reject(signal.reason)
      if (parts.every((part) => part.signal.aborted)) allCancelled.abort()
    })
  }
  // An event tells of each file at once, also when the connection breaks before the answer.
  const stop = live().on('upload.completed', ({ data: { file_id, title, file_size } }) => {
    const part = parts.find(({ file }) => file.name === title && file.size === file_size)
    if (part && file_id) arrive(part, file_id as FileId)
  })
  // The answer tells of what still arrives. An event may be about the same file that the user has chosen again.
  allCancelled.signal.addEventListener('abort', stop)
  try {
    while (parts.some(isOpen)) {
      const open = parts.filter(isOpen)
      const waits = (text: string) => {
        for (const { report } of open.filter(isOpen)) {
          if (text) report.sent(0)
          report.waits(text)
        }
      }
      const { signal } = allCancelled
      await patient(() => request(open.filter(isOpen), signal), { waits }, signal)
      if (open.every(isOpen)) throw new Error('The answer names none of the files')
    }
  } catch (error) {
    for (const part of parts) part.reject(error)
  } finally {
    stop()
  }
}

const isOpen = ({ state, signal }: Part): boolean => state === 'open' && !signal.aborted

function arrive(part: Part, id: FileId): void {
  if (part.fileId === id) return
  // A file that was sent again, because the event of the first time came late, is there twice.
  if (part.signal.aborted || part.fileId !== undefined) void deleteFile(id)
  part.fileId ??= id
  part.state = 'arrived'
  part.report.sent(part.file.size)
  part.resolve(id)
}

/** A file that cannot be deleted now stays without a photo, where nobody sees it. */
const deleteFile = (id: FileId) => dataOf(api().portfolio.upload({ file_id: id }).delete()).catch(() => {})

interface Answer {
  data: {
    uploaded: { file_id: FileId; file_size: number }[]
    failed: { error: string; code: string }[]
  }
}

/**
 * The server takes one file after the other. So the bytes that have gone out tell how far each is, and `uploaded` and `failed`
 * are in the order of the files.
 */
async function request(parts: readonly Part[], signal: AbortSignal): Promise<void> {
  if (parts.length === 0) return
  const form = new FormData()
  for (const { file } of parts) form.append('files[]', file)
  const onSent = (bytes: number) => {
    let before = 0
    for (const { file, report, state } of parts) {
      if (state === 'open') report.sent(Math.max(0, Math.min(file.size, bytes - before)))
      before += file.size
    }
  }
  const { data } = (await postForm('/v1/upload/multiple', form, { signal, onSent })) as Answer
  const failed = parts.filter((part) => {
    const arrived = data.uploaded.find(({ file_size }) => file_size === part.file.size)
    if (arrived) arrive(part, arrived.file_id)
    return !arrived
  })
  for (const [at, { error, code }] of data.failed.entries()) {
    // Other devices of the user upload too much at the moment. The next try has what is left.
    if (code === 'TOO_MANY_UPLOADS') throw new RoostError(429, code, error)
    const part = failed[at]
    // The site takes fewer files at a time: the next request has the others.
    if (!part || code === 'TOO_MANY_FILES') continue
    part.state = 'failed'
    part.reject(new RoostError(422, code, error))
  }
}
