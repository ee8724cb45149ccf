/** Built-in tasks use this to read their input and to write the output that `../task-output.ts` reads. */

export type TaskConfig = Record<string, unknown>

export function report(message: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

export const reportProgress = (progress: number, current_item: string): void =>
  report({ progress: Math.round(progress * 10) / 10, current_item })

export const reportLog = (message: string): void => report({ log: { level: 'INFO', message } })

/**
 * Reads the task from standard input, runs `work` on its config, reports the outcome and sets the exit code. What
 * `work` throws is read by the person who made the task.
 */
export async function runTask(work: (config: TaskConfig) => Promise<Record<string, unknown>>): Promise<void> {
  try {
    const { config } = (await Bun.stdin.json()) as { config: TaskConfig }
    report({ result: await work(config) })
  } catch (error) {
    process.exitCode = 1
    report({ error: (error as Error).message })
  }
  // The task has ended when all is written, also with an open timer or socket.
  process.stdout.write('', () => process.exit())
}
