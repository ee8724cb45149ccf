import type { EnvReader } from './env.ts'

export interface StudyConfig {
  /** How often a study task asks again whether an item is open, in seconds. */
  studyRetrySeconds: number
}

export const readStudy = (env: EnvReader): StudyConfig => ({
  studyRetrySeconds: env.integer('STUDY_RETRY_SECONDS', 60, 1, 86_400),
})
