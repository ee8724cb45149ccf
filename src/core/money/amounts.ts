import { invalid } from '../errors.ts'

/**
 * An amount that a client sends, as a JSON number, in minor units.
 * @throws AppError VALIDATION_FAILED naming `field` when it has more than two decimals
 */
export function readAmount(field: string, major: number): number {
  if (Number(major.toFixed(2)) !== major) throw invalid(field, 'two_decimals')
  return toMinor(major)
}

/** Minor units to the JSON number with two decimals that contracts show. */
export const toMajor = (minor: number): number => minor / 100
/** A JSON number to minor units, rounded to the nearest one. */
export const toMinor = (major: number): number => Math.round(major * 100)
