import { describe, expect, test } from 'bun:test'
import { parseDisposition, parseParameters } from '../../src/http/parameters.ts'

/** The text that the parser makes of a header: one character per byte. */
const binary = (text: string | number[]) => Buffer.from(text as string).toString('latin1')
const filename = (parameters: string | number[]) =>
  parseDisposition(`form-data; name="file"; ${binary(parameters)}`).filename

describe('the name of an uploaded file', () => {
  test.each([
    ['plain', 'filename="a.mp4"', 'a.mp4'],
    ['a token', 'filename=a.mp4', 'a.mp4'],
    ['UTF-8, as browsers send it', 'filename="课程 第1讲.mp4"', '课程 第1讲.mp4'],
    ['a semicolon in quotes', 'filename="a; name=x.mp4"', 'a; name=x.mp4'],
    ['an escaped quotation mark', 'filename="say \\"hi\\".mp4"', 'say "hi".mp4'],
    ['a path of Windows', 'filename="C:\\dir\\new.mp4"', 'C:\\dir\\new.mp4'],
    ['white space around', 'filename = "a.mp4" ', 'a.mp4'],
    ['another case', 'FileName="a.mp4"', 'a.mp4'],
    ['no end of the quotes', 'filename="a.mp4', 'a.mp4'],
    ['nothing', 'filename=""', ''],
    // RFC 8187
    ['filename* alone', "filename*=UTF-8''%E8%AF%BE.mp4", '课.mp4'],
    ['filename* after filename', 'filename="k.mp4"; filename*=UTF-8\'\'%E8%AF%BE.mp4', '课.mp4'],
    ['filename* before filename', 'filename*=UTF-8\'\'%E8%AF%BE.mp4; filename="k.mp4"', '课.mp4'],
    ['filename* with a language', 'filename="k.mp4"; filename*=utf-8\'zh-CN\'%e8%af%be.mp4', '课.mp4'],
    ['filename* in another case', "FILENAME*=utf-8''%E8%AF%BE.mp4; filename=k.mp4", '课.mp4'],
    ['filename* in quotes', 'filename="k.mp4"; filename*="UTF-8\'\'%E8%AF%BE.mp4"', '课.mp4'],
    ['filename* in Latin-1', "filename*=ISO-8859-1''caf%E9.mp4", 'café.mp4'],
    ['filename* in GBK', "filename*=GBK''%BF%CE.mp4", '课.mp4'],
    ['filename* in Shift_JIS', "filename*=Shift_JIS''%93%FA.mp4", '日.mp4'],
    ['a percent sign and quotes in it', "filename*=UTF-8''100%25%20%22a%22%3B.mp4", '100% "a";.mp4'],
    // A malformed value is ignored.
    ['an unknown charset', 'filename="k.mp4"; filename*=x-nope\'\'%E8.mp4', 'k.mp4'],
    ['bytes of another charset', 'filename="k.mp4"; filename*=UTF-8\'\'%E8%AF.mp4', 'k.mp4'],
    ['half a percent encoding', 'filename="k.mp4"; filename*=UTF-8\'\'%E8%A.mp4', 'k.mp4'],
    ['no charset', 'filename="k.mp4"; filename*=plain.mp4', 'k.mp4'],
    ['an empty filename*', 'filename="k.mp4"; filename*=UTF-8\'\'', 'k.mp4'],
    ['only such a filename*', "filename*=x-nope''a.mp4", undefined],
  ])('%s', (_, parameters, expected) => {
    expect(filename(parameters)).toBe(expected as string)
  })

  test('bytes that are no UTF-8 are taken for Windows’ Latin letters', () => {
    const bytes = [...Buffer.from('filename="caf'), 0xe9, 0x80, ...Buffer.from('.mp4"')]
    expect(filename(bytes)).toBe('café€.mp4')
  })

  test('the name of the field is no part of it', () => {
    expect(parseDisposition('form-data; name="title"')).toEqual({
      type: 'form-data',
      name: 'title',
      filename: undefined,
    })
    expect(parseDisposition('')).toEqual({ type: '', name: undefined, filename: undefined })
    expect(parseDisposition('attachment; filename="name=x"').name).toBeUndefined()
  })
})

test('a long field takes no long time', () => {
  const start = performance.now()
  for (const piece of [';a="', '; a=b', '\\"', ';a=;', '="', " '%", ';']) {
    parseDisposition(`form-data; name="${piece.repeat(100_000 / piece.length)}`)
    parseDisposition(`form-data; filename*=UTF-8''${piece.repeat(100_000 / piece.length)}`)
  }
  // A regular expression with polynomial time would take minutes.
  expect(performance.now() - start).toBeLessThan(10_000)
})

test('a Content-Type gives its boundary', () => {
  const boundary = (field: string) => parseParameters(field).parameters.get('boundary')
  expect(boundary('multipart/form-data; boundary=----WebKitFormBoundaryx')).toBe('----WebKitFormBoundaryx')
  expect(boundary('multipart/form-data; charset=utf-8; Boundary="a b;c"')).toBe('a b;c')
  expect(boundary('multipart/form-data; x-boundary=a')).toBeUndefined()
})
