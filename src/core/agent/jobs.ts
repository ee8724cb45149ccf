import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { trimFrames } from './runs.ts'

const trimFramesSchedule = defineSchedule({
  id: 'trim_agent_frames',
  name: 'trim_agent_frames',
  pattern: '37 * * * *',
  run: (ctx: Context) => trimFrames(ctx),
})

export const agentJobs = { schedules: [trimFramesSchedule] }
