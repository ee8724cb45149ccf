/** The lists of errors, rules and messages that the domains declare. */
import { describe, expect, test } from 'bun:test'
import { may } from '../../../src/core/accounts/permissions.ts'
import { ERRORS, RULES } from '../../../src/core/errors/catalogue.ts'
import { joinLists } from '../../../src/core/errors/define.ts'
import { AppError, invalid } from '../../../src/core/errors.ts'
import { MESSAGES, message } from '../../../src/core/messages.ts'

describe('the lists', () => {
  test('cannot have two entries of the same name', () => {
    expect(joinLists({ A: 1 }, { B: 2 })).toEqual({ A: 1, B: 2 })
    expect(() => joinLists({ A: 1 }, { A: 2 })).toThrow('two domains declare A')
  })

  test.each(Object.entries({ ...ERRORS, ...RULES, ...MESSAGES }))(
    '%s has a text in both languages, with the same parameters',
    (_, { zh, en }) => {
      const parameters = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()
      expect(zh).not.toBe('')
      expect(en).not.toBe('')
      expect(parameters(zh)).toEqual(parameters(en))
    },
  )
})

test('a text has its parameters filled in; a parameter that is missing stays visible', () => {
  expect(message('RATE_LIMITED', 'en', { seconds: 3 })).toBe('Too many requests; try again in 3 s')
  expect(message('issue.maximum', 'zh', { limit: 10 })).toBe('不能大于 10')
  expect(message('task_created', 'en')).toBe('Task created')
  expect(message('RATE_LIMITED', 'en')).toContain('{seconds}')
})

/** Never called: a misspelt name does not compile. */
export const misspelt = [
  // @ts-expect-error an error that no domain declares
  () => new AppError('NOT_FUOND'),
  // @ts-expect-error a rule that no domain declares
  () => invalid('email', 'emial'),
  // @ts-expect-error a message that no domain declares
  () => message('task_craeted', 'en'),
  // @ts-expect-error a permission of no area
  () => may('admin', 'nodes.update'),
  // @ts-expect-error an action that the area does not have
  () => may('admin', 'node.rename'),
]
