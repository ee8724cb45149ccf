/**
 * Notes which documented answers, header fields of requests and frames the tests have seen, when SEEN_FILE names a file.
 * `.ci/run` sets it for all suites; `unseen.ts` then lists what no test has seen.
 */
import { appendFileSync } from 'node:fs'

const file = process.env.SEEN_FILE
const noted = new Set<string>()

function note(what: string): void {
  if (file === undefined || noted.has(what)) return
  noted.add(what)
  // One write of a short line, because several processes append to the file at once.
  appendFileSync(file, `${what}\n`)
}

export const answerKey = (method: string, path: string, status: number | string): string =>
  `${method} ${path} ${status}`
export const requestHeaderKey = (method: string, path: string, name: string): string =>
  `${method} ${path} reads ${name}`
export const frameKey = (socket: string, action: 'send' | 'receive', type: string): string =>
  `${socket} ${action} ${type}`

export const noteAnswer = (...answer: Parameters<typeof answerKey>): void => note(answerKey(...answer))
export const noteRequestHeader = (...header: Parameters<typeof requestHeaderKey>): void =>
  note(requestHeaderKey(...header))
export const noteFrame = (...frame: Parameters<typeof frameKey>): void => note(frameKey(...frame))
