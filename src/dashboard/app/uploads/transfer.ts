/** What the list of uploads asks of the code that sends one kind of file. */
import { type Answer, dataOf, RoostError } from '../../../client/index.ts'
import { untilDone } from '../lib/retry.ts'
import { waitingText } from './texts.ts'

export interface Report {
  /** Bytes of the file that the server has. */
  sent(bytes: number): void
  /** Percent of the processing that follows. */
  processed(percent: number): void
  /** Why the transfer waits before its next try; `''` when it goes on. */
  waits(text: string): void
}

export interface Transfer {
  /** The server keeps what has arrived: a transfer that stops goes on from there. */
  resumable: boolean
  /** Transfers that are started at the same time share one request. */
  shares: boolean
  /** Sends what the server lacks. @returns the address of the page of the photo or material that it has become */
  send(signal: AbortSignal): Promise<string>
  /** Resolves when the server has processed the file. @returns what is wrong with the result, `''` for nothing */
  follow(signal: AbortSignal): Promise<string>
  /** Deletes what the server has of an upload that will not be finished. */
  discard(): Promise<void>
}

export type FileId = `upload_${string}`

/** A way to send the file of a photo. */
export interface Sender extends Pick<Transfer, 'resumable' | 'discard'> {
  send(signal: AbortSignal): Promise<FileId>
}

/** @throws RoostError when the server refuses; what it no longer has is deleted already */
export async function deleted(call: Promise<Answer<unknown>>): Promise<void> {
  try {
    await dataOf(call)
  } catch (error) {
    if (!(error instanceof RoostError && error.status === 404)) throw error
  }
}

/** Repeats a request until it succeeds or fails for good; the report says why it waits. */
export const patient = <T>(
  attempt: () => Promise<T>,
  { waits }: Pick<Report, 'waits'>,
  signal: AbortSignal,
): Promise<T> => {
  const attemptNow = () => {
    waits('')
    return attempt()
  }
  return untilDone(attemptNow, {
    signal,
    onWait: (error, seconds) => waits(waitingText(error, seconds)),
  })
}
