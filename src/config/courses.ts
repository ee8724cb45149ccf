import type { EnvReader } from './env.ts'

export interface CoursesConfig {
  /** Undefined: the built-in provider, which makes courses of materials. */
  courseProviderUrl: string | undefined
}

export function readCourses(env: EnvReader): CoursesConfig {
  const courseProviderUrl = env.webUrl('COURSE_PROVIDER_URL')
  const url = courseProviderUrl === undefined ? undefined : new URL(courseProviderUrl)
  if (url && (url.username || url.password || url.search || url.hash)) {
    env.mistakes.push('COURSE_PROVIDER_URL must have no user, password, query or fragment')
  }
  if (url?.protocol === 'http:' && env.text('ALLOW_PRIVATE_EGRESS') !== '1') {
    env.mistakes.push(
      'COURSE_PROVIDER_URL must begin with https://, because passwords are sent to it; http:// is for an intranet, with ALLOW_PRIVATE_EGRESS=1',
    )
  }
  return { courseProviderUrl }
}
