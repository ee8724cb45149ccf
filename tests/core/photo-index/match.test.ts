import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { asc } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory } from '../../../src/core/categories/changes.ts'
import { matchPhotos } from '../../../src/core/photo-index/match.ts'
import type { PhotoText } from '../../../src/core/photo-index/terms.ts'
import { photoIndex } from '../../../src/db/schema/index.ts'
import { pinyinOf, readingsOf } from '../../../src/util/pinyin.ts'
import { makeUser } from '../../support/factories.ts'
import { makePhoto } from '../../support/photos.ts'
import { Random } from '../../support/random.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let id: number
beforeAll(async () => {
  server = await startServer()
  const city = await createCategory(server.ctx, SERVER, { name: '城市风光' })
  const bridges = await createCategory(server.ctx, SERVER, { name: '桥梁', parentId: city.id })
  id = await makePhoto(server, await makeUser(server), {
    title: '重庆夜景 Über the River',
    description: '灯火通明的建筑群, photographed from café Rhône',
    locationName: '洪崖洞',
    metadata: { note: 'secretnote' },
    tags: ['绿色', 'LongExposure'],
    categoryIds: [bridges.id],
  })
})
afterAll(() => server.stop())

const found = async (query: string) => {
  const rows = await server.ctx.db
    .select({ id: photoIndex.photoId })
    .from(photoIndex)
    .where(matchPhotos(query))
    .orderBy(asc(photoIndex.photoId))
  return rows.map((row) => row.id)
}

describe('a photo is found by', () => {
  test.each([
    '夜',
    '夜景',
    '庆夜景',
    '重庆夜景',
    'uber',
    'ÜBER',
    'Ｕｂｅｒ',
    'riv',
    'cafe',
    'rhone',
    '建筑群',
    '灯火 river',
    'yejing',
    'yej',
    'yj',
    'chongqing',
    'cqyj',
    'lvse',
    'luse',
    'longexp',
    '城市',
    'csfg',
    '桥梁',
    '洪崖洞',
    'hyd',
    'the',
    '夜景river',
    '夜，景',
  ])('%s', async (query) => expect(await found(query)).toEqual([id]))
})

describe('a photo is not found by', () => {
  test.each([
    '景夜',
    '重夜',
    '庆景',
    'ver',
    'ejing',
    'zhongqing',
    'xposure',
    'secretnote',
    '',
    '!?',
    '%',
    '_',
    "'",
    '\\',
    '夜景x',
    '筑群灯',
    '建筑 群山',
  ])('%j', async (query) => expect(await found(query)).toEqual([]))
})

/** What a search should find, written as simply as possible. */
function finds(queryText: string, text: PhotoText): boolean {
  const simple = (value: string) =>
    value
      .normalize('NFKC')
      .toLowerCase()
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
  const split = (value: string) =>
    simple(value).match(/[\p{Script=Han}\p{Script=Hiragana}\p{Extended_Pictographic}]+|[a-z0-9]+/gu) ?? []
  const short = [text.title, ...text.names, text.location]
  const typed = short.flatMap((value) =>
    (simple(value).match(/\p{Script=Han}+/gu) ?? []).flatMap((run) => {
      if (run.length === 1) return readingsOf(run)
      const syllables = pinyinOf(run)
      return syllables.flatMap((_, i) => {
        const rest = syllables.slice(i)
        return [rest.join(''), rest.map((syllable) => syllable[0]).join('')]
      })
    }),
  )
  const words = split(queryText)
  return (
    words.length > 0 &&
    words.every((word) =>
      /[a-z0-9]/.test(word)
        ? [...short, text.description]
            .flatMap(split)
            .concat(typed)
            .some((other) => other.startsWith(word))
        : [...short, text.description].some((value) => split(value).some((run) => run.includes(word))),
    )
  )
}

test('a search finds what a naive comparison finds', async () => {
  const random = Random.announced('search against a naive comparison')
  // Characters with one reading.
  const parts = [
    '城',
    '市',
    '夜',
    '景',
    '山',
    'の',
    '🌅',
    'city',
    'Night',
    'é',
    'ＡＢ',
    '7',
    ' ',
    ' ',
    '，',
    '<b>',
    '%',
    "'",
    '\\',
    '"',
    ':*',
    '&',
  ]
  const text = (max: number) =>
    Array.from({ length: random.between(0, max) }, () => random.pick(parts)).join('')
  const owner = await makeUser(server)
  const texts = new Map<number, PhotoText>()
  for (let i = 0; i < 40; i++) {
    const photo = { title: text(6), description: text(20), location: text(4) }
    const names = random.chance(0.5) ? [`${text(3)}${i}`] : []
    const photoId = await makePhoto(server, owner, {
      title: photo.title,
      description: photo.description,
      locationName: photo.location,
      tags: names,
    })
    texts.set(photoId, { ...photo, names })
  }
  let hits = 0
  for (let i = 0; i < 150; i++) {
    const [, source] = random.pick([...texts])
    const whole = random.chance(0.5)
      ? text(3)
      : random.pick([source.title, source.description, 'yj', 'yej', 'csyejing', 'shan'])
    const start = random.between(0, Math.max(0, whole.length - 3))
    const words = random.chance(0.7) ? whole.slice(start, start + random.between(1, 4)) : whole.slice(0, 100)
    const expected = [...texts].filter(([, one]) => finds(words, one)).map(([photoId]) => photoId)
    hits += expected.length
    expect(
      (await found(words)).filter((one) => texts.has(one)),
      JSON.stringify(words),
    ).toEqual(expected)
  }
  expect(hits).toBeGreaterThan(100)
}, 60_000)
