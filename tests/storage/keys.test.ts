import { describe, expect, test } from 'bun:test'
import { contentTypeOf, dispositionOf } from '../../src/storage/content-types.ts'
import { isKey, keyToPath, safeFileName } from '../../src/storage/keys.ts'

const HOSTILE: [given: string, safe: string][] = [
  ['video.mp4', 'video.mp4'],
  ['../../x', 'x'],
  ['..\\..\\x.pdf', 'x.pdf'],
  ['C:\\fakepath\\lecture 1.mp4', 'lecture_1.mp4'],
  ['/etc/passwd', 'passwd'],
  ['', 'file'],
  ['.', 'file'],
  ['..', 'file'],
  ['/', 'file'],
  ['.htaccess', 'file.htaccess'],
  ['...hidden.pdf', 'hidden.pdf'],
  ['CON', '_CON'],
  ['con.mp4', '_con.mp4'],
  ['Aux.tar.gz', '_Aux.tar.gz'],
  ['COM1.pdf', '_COM1.pdf'],
  ['LPT9', '_LPT9'],
  ['console.mp4', 'console.mp4'],
  ['name. ', 'name'],
  ['name...', 'name'],
  ['  spaces  around  .pdf', 'spaces_around.pdf'],
  ['-rf.mp4', 'rf.mp4'],
  ['--output=x.mp4', 'output_x.mp4'],
  ['a\0b.mp4', 'a_b.mp4'],
  ['line\r\nSet-Cookie: x.mp4', 'line_Set-Cookie_x.mp4'],
  ['quo"te\'s;`$(rm).mp4', 'quo_te_s_rm.mp4'],
  ['<script>alert(1)</script>.pdf', 'script.pdf'],
  ['100%25.pdf', '100_25.pdf'],
  ['a?b#c&d=e.pdf', 'a_b_c_d_e.pdf'],
  ['exe\u202efdp.mp4', 'exe_fdp.mp4'],
  ['zero\u200bwidth\ufeff.pdf', 'zero_width.pdf'],
  ['\u3164\u115f.pdf', 'file.pdf'],
  ['高等数学（上）第一讲.mp4', '高等数学_上_第一讲.mp4'],
  ['がぎぐ.pdf', 'がぎぐ.pdf'],
  ['한국어 강의.mp4', '한국어_강의.mp4'],
  ['हिन्दी.pdf', 'हिन्दी.pdf'],
  ['مرحبا.pdf', 'مرحبا.pdf'],
  ['cafe\u0301.pdf', 'café.pdf'],
  ['😀'.repeat(300), 'file'],
  [`${'😀'.repeat(300)}.mp4`, 'file.mp4'],
  ['party 🎉 time.mp4', 'party_time.mp4'],
  ['1\ufe0f\u20e3.mp4', '1.mp4'],
  ['\ud800broken.mp4', 'broken.mp4'],
  ['a..b.pdf', 'a.b.pdf'],
  ['report.v2.final.PDF', 'report.v2.final.pdf'],
  ['no extension', 'no_extension'],
  ['第1.2章', '第1.2章'],
]

describe('safeFileName', () => {
  test.each(HOSTILE)('%j becomes %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe)
    expect(isKey(safe)).toBe(true)
    expect(safeFileName(safe)).toBe(safe)
  })

  test.each([
    ['ascii', 'x'.repeat(5000)],
    ['CJK', '课'.repeat(300)],
    ['marks on one letter', `a${'\u0301'.repeat(500)}`],
    ['underscores at the cut', `${'x'.repeat(99)}  y`],
  ])('keeps 100 bytes at most: %s', (_, name) => {
    const safe = safeFileName(`${name}.mp4`)
    expect(safe).toEndWith('.mp4')
    expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(104)
    expect(safe).not.toContain('\ufffd')
    expect(isKey(safe)).toBe(true)
  })

  test('takes the extension that the content has, whatever the name says', () => {
    expect(safeFileName('page.html', 'mp4')).toBe('page.mp4')
    expect(safeFileName('clip.MP4', 'mp4')).toBe('clip.mp4')
    expect(safeFileName('shell.php.jpg', 'webm')).toBe('shell.php.webm')
    expect(safeFileName('CON', 'pdf')).toBe('_CON.pdf')
    expect(safeFileName('😀', 'pdf')).toBe('file.pdf')
  })

  test('whatever comes, a key comes out', () => {
    for (let i = 0; i < 2000; i++) {
      const units = Array.from({ length: 1 + (i % 40) }, () => Math.floor(Math.random() * 0x10000))
      const name = String.fromCharCode(...units)
      const safe = safeFileName(name)
      if (!isKey(safe) || Buffer.byteLength(safe) > 111) throw new Error(`${JSON.stringify(name)} → ${safe}`)
    }
  })
})

test.each([
  'a',
  'a/b/c.mp4',
  'a-b_c.d',
  '_a',
  '-a',
  '课件/高数.pdf',
  `${'a/'.repeat(511)}ab`,
  'x'.repeat(255),
])('%j is a key', (key) => {
  expect(isKey(key)).toBe(true)
})

test.each([
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/..',
  'a/./b',
  'a/../../b',
  '.a',
  'a/.b',
  'a.',
  'a\\b',
  'a b',
  'a\0',
  'a\n',
  'a:b',
  'a%2fb',
  'a?b',
  'a\u202eb',
  'cafe\u0301',
  '\ud800',
  '😀',
  'x'.repeat(256),
  `${'a/'.repeat(512)}b`,
  `${'课'.repeat(85)}x`,
])('%j is no key', (key) => {
  expect(isKey(key)).toBe(false)
})

test('a key is escaped in a URL, but for its slashes', () => {
  expect(keyToPath('materials/1/高数.pdf')).toBe('materials/1/%E9%AB%98%E6%95%B0.pdf')
})

test.each([
  ['a.mp4', 'video/mp4', 'inline'],
  ['a.PDF', 'application/pdf', 'inline'],
  ['thumbnails/1/1.jpg', 'image/jpeg', 'inline'],
  ['a.html', 'application/octet-stream', 'attachment'],
  ['a.svg', 'application/octet-stream', 'attachment'],
  ['a.txt', 'text/plain; charset=utf-8', 'attachment'],
  ['a.constructor', 'application/octet-stream', 'attachment'],
  ['mp4', 'application/octet-stream', 'attachment'],
  ['a.mp4/b', 'application/octet-stream', 'attachment'],
] as const)('%s is served as %s, %s', (key, type, disposition) => {
  expect(contentTypeOf(key)).toBe(type)
  expect(dispositionOf(key)).toBe(disposition)
})
