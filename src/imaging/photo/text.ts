import { cutText } from '../../util/cut.ts'

const MAX_LENGTH = 200
/** Control characters, and what a decoder writes for bytes that are no text. */
const GARBAGE = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\uFFFD]/u

/** A text from a file as it can be shown and stored. Undefined when it is none, or has characters that no text has. */
export function cleanText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.replace(/\0.*$/s, '').replace(/\s+/g, ' ').trim()
  return text === '' || GARBAGE.test(text) ? undefined : cutText(text, MAX_LENGTH)
}
