import type { EnvReader } from './env.ts'

export interface CoursesConfig {
  /** Undefined: the built-in provider, which makes courses of materials. */
  courseProviderUrl: string | undefined
}

export const readCourses = (env: EnvReader): CoursesConfig => ({
  courseProviderUrl: env.webUrl('COURSE_PROVIDER_URL'),
})
