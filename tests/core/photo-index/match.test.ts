import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { asc } from 'drizzle-orm'
import { matchPhotos } from '../../../src/core/photo-index/match.ts'
import { photoIndex } from '../../../src/db/schema/index.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { putCategory, putPhoto, putTag } from './photos.ts'

let server: TestServer
let id: number
beforeAll(async () => {
  server = await startServer()
  const { user } = await makeUser(server)
  const city = await putCategory(server, '城市风光')
  const bridges = await putCategory(server, '桥梁', city)
  id = await putPhoto(server, user.id, {
    title: '重庆夜景 Über the River',
    description: '灯火通明的建筑群, photographed from café Rhône',
    locationName: '洪崖洞',
    metadata: { note: 'secretnote' },
    tagIds: [await putTag(server, '绿色'), await putTag(server, 'LongExposure')],
    categoryIds: [bridges],
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
