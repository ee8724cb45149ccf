import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { countFacets, newest, noCounts } from '../../../src/core/photo-index/facets.ts'
import { Random } from '../../support/random.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

interface Photo {
  id: number
  at: number
  year: number | null
  categories: number[]
  tags: number[]
}

const YEAR_1 = Date.parse('0001-01-01T00:00:00Z')

function randomPhotos(random: Random, count: number): Photo[] {
  const few = () => [...new Set(Array.from({ length: random.between(0, 4) }, () => random.between(1, 12)))]
  return Array.from({ length: count }, (_, i) => ({
    id: i === 0 ? 2 ** 31 - 1 : i,
    // There are so few times that photos share them. The first and the last are the earliest and the latest of any photo.
    at: random.pick([YEAR_1, -1, 0, 1_700_000_000_123, Date.parse('9999-12-31T23:59:59.999Z')]),
    year: random.pick([null, 1, 1969, 2024, 9999]),
    categories: few(),
    tags: few(),
  }))
}

const countsOf = <T>(values: T[]): [T, number][] =>
  [...new Set(values)].sort().map((value) => [value, values.filter((v) => v === value).length])
const sorted = <T>(counts: Map<T, number>) => [...counts].sort(([a], [b]) => (`${a}` < `${b}` ? -1 : 1))

test('facets and the order of a page, read from the lines of the database, are those of a naive count', async () => {
  const random = Random.announced('facets')
  for (const count of [0, 1, 2, 60]) {
    const photos = randomPhotos(random, count)
    const [row] = await server.ctx.db.execute<{ lines: string | null }>(sql`
      select string_agg(photo_facets(id, timestamptz 'epoch' + at * interval '1 ms', year,
        array(select json_array_elements_text(categories)::int), array(select json_array_elements_text(tags)::int)), E'\n') as lines
      from json_to_recordset(${JSON.stringify(photos)}::text::json)
        as photo(id int, at bigint, year smallint, categories json, tags json)`)
    const counts = noCounts()
    const found = countFacets(row!.lines ?? '', counts)
    expect(found.ids).toEqual(photos.map(({ id }) => id))
    expect(found.times).toEqual(photos.map(({ at }) => at - YEAR_1))
    expect(sorted(counts.combinations)).toEqual(
      countsOf(photos.map(({ categories }) => categories.join(','))),
    )
    expect(sorted(counts.tagIds)).toEqual(countsOf(photos.flatMap(({ tags }) => tags)))
    expect(sorted(counts.years)).toEqual(countsOf(photos.map(({ year }) => `${year ?? ''}`)))
    const inOrder = photos.toSorted((a, b) => b.at - a.at || b.id - a.id).map(({ id }) => id)
    for (let offset = 0; offset <= count + 1; offset++) {
      for (const limit of [0, 1, 7, 100]) {
        expect(newest(found, offset, limit)).toEqual(inOrder.slice(offset, offset + limit))
      }
    }
  }
})
