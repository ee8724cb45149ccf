import { expect, test } from 'bun:test'
import { materialKey } from '../../../src/core/materials/keys.ts'
import { isKey } from '../../../src/storage/keys.ts'

test('materialKey is what the learning contract shows, in UTC, and can be told apart', () => {
  const at = new Date('2024-01-15T08:30:00.999Z')
  expect(materialKey(1, at, 'video.mp4', 'mp4')).toBe('materials/1/20240115_083000_video.mp4')
  expect(materialKey(1, at, 'video.mp4', 'mp4', '2f')).toBe('materials/1/20240115_083000_video_2f.mp4')
  expect(materialKey(7, at, '../../CON', 'pdf')).toBe('materials/7/20240115_083000__CON.pdf')
  expect(isKey(materialKey(2 ** 31, at, '课'.repeat(300), 'webm', '0123456789'))).toBe(true)
})
