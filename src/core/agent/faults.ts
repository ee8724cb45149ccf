import { MODEL_FAULTS, ModelError } from '../../model/model.ts'
import type { MessageKey } from '../messages.ts'

/** Why a run failed: the code of its RUN_ERROR. */
const RUN_FAULTS = [
  ...MODEL_FAULTS,
  'STEP_LIMIT',
  'OUTPUT_LIMIT',
  'SESSION_ENDED',
  'SERVER_STOPPED',
  'INTERNAL',
] as const
export type RunFault = (typeof RUN_FAULTS)[number]

export class RunError extends Error {
  override name = 'RunError'
  constructor(readonly code: RunFault) {
    super(code)
  }
}

/** The user has cancelled the run. */
export class RunCancelled extends Error {
  override name = 'RunCancelled'
}

export const faultOf = (error: unknown): RunFault =>
  error instanceof RunError || error instanceof ModelError ? error.code : 'INTERNAL'

export const faultText = (fault: RunFault): MessageKey =>
  `agent_${fault.toLowerCase() as Lowercase<RunFault>}`
