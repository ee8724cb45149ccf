import { isSignedIn } from './session.ts'

/** Forms in which the user has typed or changed what the server does not have. */
const typed = new Set<HTMLElement>()

/** Whether the page has such a form. Those of the sign-in do not count: they are quickly filled in again. */
export const hasUnsaved = (): boolean => typed.size > 0 && isSignedIn.peek()

const warn = (event: Event) => {
  if (hasUnsaved()) event.preventDefault()
}

/** The browser asks before it closes or reloads the page. */
export function setTyped(form: HTMLElement, isTyped: boolean): void {
  if (isTyped) typed.add(form)
  else typed.delete(form)
  if (typed.size > 0) addEventListener('beforeunload', warn)
  else removeEventListener('beforeunload', warn)
}

export const hasTyped = (within: HTMLElement): boolean => [...typed].some((form) => within.contains(form))

/** The user gives up what was typed. */
export function forgetTyped(): void {
  for (const form of typed) setTyped(form, false)
}
