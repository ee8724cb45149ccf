/** What the list of uploads asks of the code that sends one kind of file. */

export interface Report {
  /** Bytes of the file that the server has. */
  sent(bytes: number): void
  /** Percent of the processing that follows. */
  processed(percent: number): void
  /** The transfer waits before its next try. */
  waits(text: string): void
}

export interface Transfer {
  /** The server keeps what has arrived: a transfer that stops goes on from there. */
  resumable: boolean
  /** Sends what the server lacks. @returns the address of the page of the photo or material that it has become */
  send(signal: AbortSignal): Promise<string>
  /** Resolves when the server has processed the file. @returns what is wrong with the result, `''` for nothing */
  follow(signal: AbortSignal): Promise<string>
  /** Deletes what the server has of an upload that will not be finished. */
  discard(): Promise<void>
}
