/** What the end of a child process means. */
import { stat } from 'node:fs/promises'
import { cutStart } from '../util/cut.ts'
import type { Failure } from './child.ts'
import type { Ending } from './confine.ts'
import { FAILURES, ImagingError, OUT_OF_MEMORY } from './protocol.ts'

/** Refuses pipes and directories: the child would wait for a writer of a pipe. */
export async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new ImagingError('UNREADABLE', 'there is no such file')
}

/**
 * The child's answer, which counts however the child ended after it.
 * @throws ImagingError when the child failed or gave no answer
 */
export function answerOf<Answer extends object>({ output, complaints, by }: Ending): Partial<Answer> {
  const answer = parsed(output) as (Partial<Answer> & Partial<Failure>) | undefined
  if (answer && answer.code === undefined && !('step' in answer)) return answer
  if (answer?.code && FAILURES.includes(answer.code)) {
    throw new ImagingError(answer.code, String(answer.message))
  }
  if (by === 'SIGXCPU') throw new ImagingError('TIMEOUT', 'it takes too long to decode')
  if (by === 'timeout') throw new ImagingError('BUSY', 'the machine had no time for it')
  if (OUT_OF_MEMORY.test(complaints)) throw new ImagingError('MEMORY', 'it takes too much memory')
  // This server sent no SIGKILL, so the kernel did, because the machine is out of memory.
  if (by === 'SIGKILL') throw new ImagingError('BUSY', 'the machine had no memory for it')
  throw new ImagingError('CRASHED', `the decoder ended by ${by ?? 'itself'}: ${cutStart(complaints, 500)}`)
}

function parsed(output: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(output.trimEnd().split('\n').at(-1)!)
    return answer instanceof Object ? answer : undefined
  } catch {
    return undefined
  }
}
