import { invalid } from '../errors.ts'
import { toMinor } from './ledger.ts'

/**
 * An amount that a client sends, as a JSON number, in minor units.
 * @throws AppError VALIDATION_FAILED naming `field` when it has more than two decimals
 */
export function readAmount(field: string, major: number): number {
  if (Number(major.toFixed(2)) !== major) throw invalid(field, 'two_decimals')
  return toMinor(major)
}
