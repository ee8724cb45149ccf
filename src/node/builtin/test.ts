/**
 * The built-in task `test`: takes time, reports progress, and ends as its config says. Operators try their set-up with
 * it.
 */
import { reportLog, reportProgress, runTask, type TaskConfig } from './task-io.ts'

const MAX_SECONDS = 3600
const MAX_STEPS = 1000

await runTask(async (config) => {
  const duration = numberIn(config, 'duration_seconds', 2, 0, MAX_SECONDS)
  const steps = Math.round(numberIn(config, 'steps', 10, 1, MAX_STEPS))
  reportLog(`running ${steps} steps in ${duration} seconds`)
  for (let step = 1; step <= steps; step++) {
    await Bun.sleep((duration * 1000) / steps)
    reportProgress((step / steps) * 100, `step ${step}/${steps}`)
  }
  if (config.fail)
    throw new Error(typeof config.fail === 'string' ? config.fail : 'failed, as its config asked')
  return { steps, duration_seconds: duration, ...(config.result !== undefined && { result: config.result }) }
})

function numberIn(config: TaskConfig, name: string, fallback: number, min: number, max: number): number {
  const value = config[name] ?? fallback
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new Error(`config.${name} must be a number from ${min} to ${max}`)
}
