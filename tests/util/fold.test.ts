import { describe, expect, test } from 'bun:test'
import { skeletonOf } from '../../src/util/confusables.ts'
import { foldCase, tidyCode, tidyName } from '../../src/util/fold.ts'

test.each([
  ['МАРИЯ', 'мария'],
  ['STRASSE', 'straße', 'STRAẞE', 'Straſſe'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος', 'σίσυφοσ'],
  ['İstanbul', 'i̇stanbul', 'İSTANBUL'],
  ['김민수', '김민수'.normalize('NFD')],
  ['ﬁona', 'FIONA', 'ｆｉｏｎａ'],
  ['\u212aelvin', 'Kelvin'],
])('%s folds like its other spellings', (first, ...others) => {
  expect(others.map((other) => foldCase(other as string))).toEqual(others.map(() => foldCase(first)))
})

test('every character folds like its own upper and lower case and its decompositions, and once for all', () => {
  const wrong: string[] = []
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code)
    // Those of no character have neither case nor decomposition.
    if (/[\p{Unassigned}\p{Private_Use}\p{Surrogate}]/u.test(character)) continue
    const folded = foldCase(character)
    const forms = [character.toLowerCase(), character.toUpperCase(), character.normalize('NFD'), folded]
    if (forms.some((form) => foldCase(form) !== folded)) wrong.push(code.toString(16))
  }
  expect(wrong).toEqual([])
}, 60_000)

describe('what people type', () => {
  test.each([
    ['１２３４５６', '123456'],
    [' 123 456\n', '123456'],
    ['123-456', '123456'],
    ['123–456', '123456'],
    ['１２３　４５６', '123456'],
    ['\u200b123456', '123456'],
    ['١٢٣٤٥٠', '123450'],
    ['۱۲۳-۴۵۹', '123459'],
    ['१२३४५०', '123450'],
    ['𝟙𝟚𝟛𝟜𝟝𝟘', '123450'],
    ['12345a', '12345a'],
  ])('%j is the code %j', (text, code) => expect(tidyCode(text)).toBe(code))

  test('every decimal digit of Unicode has its value', () => {
    const wrong: string[] = []
    for (const system of Intl.supportedValuesOf('numberingSystem')) {
      const written = new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false }).format(9876543210)
      if (/^\p{Nd}{10}$/u.test(written) && tidyCode(written) !== '9876543210') wrong.push(system)
    }
    expect(wrong).toEqual([])
  })

  test.each([
    ['　ａｄｍｉｎ ', 'admin'],
    ['ｶﾞ', 'ガ'],
    ['김민수'.normalize('NFD'), '김민수'],
    ['Zoë'.normalize('NFD'), 'Zoë'.normalize('NFC')],
    ['x²', 'x²'],
  ])('%j is the name %j', (text, name) => expect(tidyName(text)).toBe(name))
})

test.each([
  ['аdmin', 'admin'],
  ['admіn', 'admin'],
  ['gοοgle', 'google'],
  ['paypaI', 'paypal'],
  ['rnaria', 'maria'],
])('%s looks like %s', (one, other) => expect(skeletonOf(one)).toBe(skeletonOf(other)))
