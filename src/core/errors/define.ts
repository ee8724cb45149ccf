import type { Text } from '../language.ts'

/**
 * What an error means for the caller. Every contract maps every kind to a status, so a new error needs no line in a
 * contract unless the contract's document names it.
 */
export type ErrorKind =
  /** The caller has not proved who they are. */
  | 'unauthenticated'
  /** The caller is known and may not do this. */
  | 'forbidden'
  | 'not_found'
  /** The path exists and does not answer this method. */
  | 'method_not_allowed'
  /** Something else already has this name, or does this work. */
  | 'conflict'
  /** The current state of the thing forbids this. */
  | 'invalid_state'
  /** The input breaks a rule. */
  | 'invalid'
  | 'too_large'
  /** The server does not accept this kind of file. */
  | 'unsupported'
  /** The caller has reached a limit. */
  | 'limited'
  /** The request took too long to arrive. */
  | 'timeout'
  /** The client closed the connection before the answer, so nobody receives it. */
  | 'closed'
  /** A part that the server needs does not answer; the request may succeed later. */
  | 'unavailable'
  /** The server tried and could not do it. */
  | 'failed'
  /** A fault that nobody expected. */
  | 'internal'

/** A value of an error: for its text, or, as a list is, for what contracts show beside the text. */
export type ErrorValue = string | number | readonly number[]

/** An error of core: its kind, and the text that a person reads. */
export interface ErrorDefinition extends Text {
  kind: ErrorKind
}

/** Declares the errors of a domain by their codes. The domain's `errors.ts` declares them, and `catalogue.ts` lists it. */
export const defineErrors = <T extends Record<Uppercase<string>, ErrorDefinition>>(errors: T): T => errors

/** Declares texts by their keys: a domain's messages, or its rules of input. */
export const defineTexts = <T extends Record<Lowercase<string>, Text>>(texts: T): T => texts

type Merged<T> = (T extends unknown ? (each: T) => void : never) extends (all: infer A) => void ? A : never

/** Joins the lists of the domains. A key that two of them declare stops the program at its start. */
export function joinLists<const T extends readonly object[]>(...lists: T): Merged<T[number]> {
  const joined: Record<string, unknown> = {}
  for (const list of lists) {
    for (const [key, value] of Object.entries(list)) {
      if (Object.hasOwn(joined, key)) throw new Error(`two domains declare ${key}`)
      joined[key] = value
    }
  }
  return joined as Merged<T[number]>
}
