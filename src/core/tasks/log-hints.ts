import { defineHint } from '../../bus/bus.ts'

/** The logs of these tasks (their numbers) have new lines. */
export const taskLogsHint = defineHint<number[]>('task_logs')
