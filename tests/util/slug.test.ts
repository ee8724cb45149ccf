import { describe, expect, test } from 'bun:test'
import { slugOf, suffixed } from '../../src/util/slug.ts'

describe('slugOf', () => {
  test.each([
    ['城市夜景', 'cheng-shi-ye-jing'],
    ['上海外滩 Bund 2024', 'shang-hai-wai-tan-bund-2024'],
    ['重庆的银行', 'chong-qing-de-yin-hang'],
    ['绿色', 'lv-se'],
    ['Ａ＆Ｂ　１２', 'a-b-12'],
    ["  Don't -- look/back?  ", 'dont-look-back'],
    ['Crème Brûlée, Ærø & Straße', 'creme-brulee-aero-strasse'],
    ['Звёздная ночь', 'звездная-ночь'],
    ['がんばる', 'がんばる'],
    ['__proto__', 'proto'],
    ['🌃✨', ''],
    ['', ''],
    ['\0\ud800', ''],
  ])('%s', (text, slug) => {
    expect(slugOf(text)).toBe(slug)
  })

  test('is short for a long text, and does not end within a word', () => {
    const slug = slugOf('城市夜景'.repeat(2500))
    expect(slug.length).toBeLessThanOrEqual(60)
    expect(slug).toMatch(/^(cheng|shi|ye|jing)(-(cheng|shi|ye|jing))*$/)
    expect(slugOf('x'.repeat(10_000)).length).toBeLessThanOrEqual(60)
    expect(slugOf('𝒳'.repeat(10_000)).isWellFormed()).toBe(true)
  })
})

test('a suffix is readable, and another one each time', () => {
  expect(suffixed('cheng-shi')).toMatch(/^cheng-shi-[2-9a-z]{5}$/)
  expect(suffixed('')).toMatch(/^[2-9a-z]{5}$/)
  expect(suffixed('a')).not.toBe(suffixed('a'))
})
