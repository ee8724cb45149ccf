import { isSignedIn } from './session.ts'

/** Forms in which the user has typed or changed what the server does not have. */
const typed = new Set<HTMLElement>()

const warn = (event: Event) => {
  // The forms of the sign-in are quickly filled in again.
  if (isSignedIn.peek()) event.preventDefault()
}

/** The browser asks before it closes or reloads the page. */
export function setTyped(form: HTMLElement, isTyped: boolean): void {
  if (isTyped) typed.add(form)
  else typed.delete(form)
  if (typed.size > 0) addEventListener('beforeunload', warn)
  else removeEventListener('beforeunload', warn)
}

export const hasTyped = (within: HTMLElement): boolean => [...typed].some((form) => within.contains(form))
