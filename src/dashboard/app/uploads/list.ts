/** The uploads of this page: they go on while the user opens other pages. */
import { batch, computed, effect, type Signal, signal } from '@preact/signals'
import { messageOf } from '../lib/errors.ts'
import { isSignedIn } from '../lib/session.ts'
import { type MaterialWish, materialTransfer } from './material.ts'
import { type PhotoWish, photoTransfer } from './photo.ts'
import { firstRequest } from './together.ts'
import type { Transfer } from './transfer.ts'

export type Wish = PhotoWish | MaterialWish
export type Phase = 'waiting' | 'sending' | 'paused' | 'processing' | 'done' | 'failed'

export interface Upload {
  id: number
  file: File
  wish: Wish
  phase: Signal<Phase>
  /** Bytes that the server has. */
  sent: Signal<number>
  /** Percent of the processing. */
  processed: Signal<number>
  /** Why it waits, or has failed. */
  note: Signal<string>
  /** The address of the photo or material, once there is one. */
  page: Signal<string | undefined>
  transfer: Transfer
}

/** Files that are sent at the same time, beside the request that small photos share. */
const AT_ONCE = 3

export const uploads = signal<readonly Upload[]>([])
export const count = (phase: Phase): number =>
  uploads.value.filter((upload) => upload.phase.value === phase).length
/** Uploads of which the server does not have all bytes. */
export const unsent = computed(() => count('waiting') + count('sending') + count('paused'))

const running = new Map<Upload, AbortController>()
let lastId = 0

export function addUploads(wanted: readonly { file: File; wish: Wish }[]): void {
  uploads.value = [...uploads.value, ...wanted.map(({ file, wish }) => uploadOf(file, wish))]
  startWaiting()
}

function uploadOf(file: File, wish: Wish): Upload {
  const [sent, processed, note] = [signal(0), signal(0), signal('')]
  const report = {
    sent: (bytes: number) => {
      sent.value = Math.min(bytes, file.size)
    },
    processed: (percent: number) => {
      processed.value = percent
    },
    waits: (text: string) => {
      note.value = text
    },
  }
  const transfer =
    wish.kind === 'photo' ? photoTransfer(file, wish, report) : materialTransfer(file, wish, report)
  const phase = signal<Phase>('waiting')
  return { id: ++lastId, file, wish, phase, sent, processed, note, page: signal(undefined), transfer }
}

function startWaiting(): void {
  const those = (phase: Phase, shares: boolean) =>
    uploads.peek().filter((upload) => upload.phase.peek() === phase && upload.transfer.shares === shares)
  const next = [
    ...(those('sending', true).length === 0 ? firstRequest(those('waiting', true)) : []),
    ...those('waiting', false).slice(0, Math.max(0, AT_ONCE - those('sending', false).length)),
  ]
  for (const upload of next) void run(upload)
}

async function run(upload: Upload): Promise<void> {
  const { phase, note, page, transfer } = upload
  const controller = new AbortController()
  const { signal } = controller
  running.set(upload, controller)
  batch(() => {
    phase.value = 'sending'
    note.value = ''
  })
  try {
    const address = await transfer.send(signal)
    signal.throwIfAborted()
    batch(() => {
      page.value = address
      phase.value = 'processing'
      note.value = ''
    })
    startWaiting()
    const problem = await transfer.follow(signal)
    batch(() => {
      phase.value = 'done'
      note.value = problem
    })
  } catch (error) {
    // `pause` and `cancel` have said already what comes next.
    if (signal.aborted) return
    batch(() => {
      note.value = messageOf(error)
      phase.value = 'failed'
    })
  } finally {
    if (running.get(upload) === controller) running.delete(upload)
    startWaiting()
  }
}

function stop(upload: Upload): void {
  running.get(upload)?.abort()
  running.delete(upload)
}

export function pause(upload: Upload): void {
  batch(() => {
    upload.phase.value = 'paused'
    upload.note.value = ''
  })
  stop(upload)
}

/** Goes on with a paused upload, or tries a failed one again. */
export function resume(upload: Upload): void {
  upload.phase.value = 'waiting'
  startWaiting()
}

/** Ends an upload and deletes what the server has of it. */
export async function cancel(upload: Upload): Promise<void> {
  stop(upload)
  uploads.value = uploads.peek().filter((other) => other !== upload)
  startWaiting()
  await upload.transfer.discard()
}

/** Takes an upload that has ended off the list. What it has become stays. */
export function clearEnded(): void {
  uploads.value = uploads.peek().filter(({ phase }) => phase.value !== 'done' && phase.value !== 'failed')
}

effect(() => {
  if (isSignedIn.value) return
  for (const upload of uploads.peek()) stop(upload)
  uploads.value = []
})

const warn = (event: Event) => event.preventDefault()
effect(() => {
  if (unsent.value > 0) addEventListener('beforeunload', warn)
  else removeEventListener('beforeunload', warn)
})
