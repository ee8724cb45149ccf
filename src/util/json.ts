/**
 * JSON whose whole numbers stay exact. `JSON.parse` rounds what no double holds: the seed 1970670598291982290 would
 * become …2300. Such a number is kept as a raw one (`JSON.rawJSON`), which `JSON.stringify` writes as it was read.
 * Fractions and numbers with an exponent are doubles, as for every reader of JSON.
 */

interface RawJson {
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
const { rawJSON, isRawJSON } = JSON as unknown as RawJson

/** Python refuses to read longer ones, and PostgreSQL's numeric ends at 131,072. */
const MAX_DIGITS = 4300
/** Doubles hold every whole number of 15 digits; 309 digits, or an exponent of 3, may be more than the largest one. */
const SUSPECT = /\d{16}|e\+?\d{3}/i
const WHOLE = /^-?\d{16,}$/

/** A number that cannot be stored exactly: too large for a double, or an integer with too many digits. */
export class UnkeepableNumber extends Error {
  override name = 'UnkeepableNumber'
  /** Its text, cut when it is long. */
  readonly literal: string

  constructor(literal: string) {
    const short = literal.length > 40 ? `${literal.slice(0, 40)}…` : literal
    super(`the number ${short} is too large`)
    this.literal = short
  }
}

/** Whether a parsed value is a whole number that no double holds. It is an object, but has no parts. */
export const isRawNumber = (value: unknown): boolean => isRawJSON(value)

/**
 * @param unkeepable `refuse` throws for a number that can't be kept; `null` puts null in its place
 * @throws SyntaxError, UnkeepableNumber
 */
export function parseJson(text: string, unkeepable: 'refuse' | 'null' = 'refuse'): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text)
  const revive = (_: string, value: unknown, { source }: { source?: string } = {}) => {
    if (typeof value !== 'number' || source === undefined) return value
    const whole = WHOLE.test(source)
    if (whole ? source.length > MAX_DIGITS : !Number.isFinite(value)) {
      if (unkeepable === 'refuse') throw new UnkeepableNumber(source)
      return null
    }
    return whole && String(value) !== source ? rawJSON(source) : value
  }
  return JSON.parse(text, revive)
}

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
