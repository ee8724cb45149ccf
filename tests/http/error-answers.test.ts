/** The status and the code of each contract for each error of core. Clients depend on them. */
import { expect, test } from 'bun:test'
import { factory } from '../../src/contracts/factory/contract.ts'
import { learning } from '../../src/contracts/learning/contract.ts'
import { portfolio } from '../../src/contracts/portfolio/contract.ts'
import { runtime } from '../../src/contracts/runtime/contract.ts'
import { ERRORS } from '../../src/core/errors/catalogue.ts'
import known from './error-answers.json'

const contracts = { factory, learning, portfolio, runtime }

test.each(Object.values(contracts))('$name answers as its clients know it', ({ name, errors }) => {
  // The file may lack new codes. The answer to a code in the file never changes.
  const answers = known[name as keyof typeof contracts]
  expect(Object.keys(answers).length).toBeGreaterThanOrEqual(34)
  expect(errors).toMatchObject(answers)
})

test('an override says what the kind does not', () => {
  for (const { name, kinds, codes } of Object.values(contracts)) {
    for (const [code, [status, shown = code]] of Object.entries(codes)) {
      const [kindStatus, kindCode = code] = kinds[ERRORS[code as keyof typeof ERRORS].kind]
      expect([status, shown], `${name} ${code}`).not.toEqual([kindStatus, kindCode])
    }
  }
})
