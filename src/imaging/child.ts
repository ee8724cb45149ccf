/** What the child processes share. */
import { writeFileSync } from 'node:fs'
import { ImagingError, type ImagingFailure, OUT_OF_MEMORY } from './protocol.ts'

export interface Failure {
  code: ImagingFailure
  message: string
}

/** Runs `work` with the request, writes its result or its failure as the last line of standard output, and ends the process. */
export async function answerOnce<Request>(work: (request: Request) => Promise<object>): Promise<never> {
  preferToDie()
  const answer = await work(JSON.parse(process.argv[2]!) as Request).catch(failureOf)
  await Bun.write(Bun.stdout, `\n${JSON.stringify(answer)}\n`)
  // At once, because the end of the process frees everything that the libraries would free one by one.
  process.exit(0)
}

/** An error while the file is read is the file's fault. An earlier one, such as a missing library, is the server's. */
export async function reading<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ImagingError) throw error
    const text = String(error)
    throw new ImagingError(OUT_OF_MEMORY.test(text) ? 'MEMORY' : 'UNREADABLE', text)
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof ImagingError) return { code: error.code, message: error.message }
  return { code: 'CRASHED', message: String(error) }
}

/** When the machine runs out of memory, Linux should kill this process and not the server. */
function preferToDie(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // This is not Linux.
  }
}
