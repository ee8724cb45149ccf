/** The tools of the agent, for models and the built-in agent alike. A new domain adds its tools here. */
import { gpuTools } from './gpu.ts'
import { materialTools } from './materials.ts'
import { photoTools } from './photos.ts'
import { scheduleTools } from './schedule.ts'
import { taskTools } from './tasks.ts'
import type { Tool } from './tool.ts'

export const TOOLS: readonly Tool[] = [
  ...taskTools,
  ...gpuTools,
  ...scheduleTools,
  ...materialTools,
  ...photoTools,
]

export const findTool = (name: string): Tool | undefined => TOOLS.find((tool) => tool.name === name)
