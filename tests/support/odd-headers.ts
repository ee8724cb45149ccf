/** Header fields with mistakes that some clients make. */
import type { Random } from './random.ts'

const LONG = 'x'.repeat(6000)
const BOUNDARIES = [1, 69, 70, 71, 200, 201, 251, 252, 253, 254, 255, 256, 1000, 6000]

/** By name: values, one character per byte. */
export const ODD_HEADERS: Record<string, string[]> = {
  'content-type': [
    ...BOUNDARIES.map((length) => `multipart/form-data; boundary=${'b'.repeat(length)}`),
    ...['', ';', '"', '""', '"b', '\\', "b'; x", 'b=c', '\xff\xfe', '  '].map(
      (boundary) => `multipart/form-data; boundary=${boundary}`,
    ),
    ...['multipart/form-data', 'multipart/mixed; boundary=b', 'MULTIPART/FORM-DATA;BOUNDARY=b'],
    ...['application/json; charset=utf-16', 'application/json;;;', 'APPLICATION/JSON', 'application/x+json'],
    ...['application/json, text/plain', 'application/x-www-form-urlencoded', 'text/html', '/', ';', 'a'],
    ...['', '\xe9', LONG, `application/${LONG}`, `application/json; ${LONG}`],
  ],
  'content-length': ['0', '1', '00', '-1', '+5', '1e3', '0x10', 'abc', '5, 5', '99999999999999999999999', ''],
  'transfer-encoding': ['chunked', 'gzip', 'identity', 'chunked, chunked', 'gzip, chunked', 'x', '', LONG],
  'content-encoding': ['gzip', 'br', 'zstd', 'deflate', 'identity', 'gzip, gzip', 'x', '', LONG],
  'content-disposition': ["form-data; name*=UTF-8''%ff", 'attachment', LONG],
  accept: ['', '*', 'text/event-stream', 'text/event-stream;q=0', ';q=1', 'a/b;q=x', ',,,', '\xff', LONG],
  'accept-encoding': ['', 'gzip;q=0', '*;q=0', 'identity;q=0', 'x', LONG],
  'accept-language': [
    ...['', '*', ';', ',', 'zh;q=', 'zh;q=2', 'zh;q=-1', 'zh;q=NaN', 'zh;q=1.2.3', 'zh-', '-zh', '\xe4\xb8'],
    ...['toString', '__proto__', LONG, ','.repeat(6000), 'en;q=0.1,'.repeat(600)],
  ],
  authorization: [
    ...['', 'Bearer', 'Bearer ', 'Bearer  ', 'bearer x', 'Basic YTpi', 'Bearer a.b.c', 'Bearer ...'],
    ...['Bearer \xff', 'Bearer null', `Bearer ${LONG}`, 'Bearer eyJhbGciOiJub25lIn0.e30.', 'Bearer a b'],
  ],
  cookie: [
    '',
    '=',
    ';',
    'a',
    'a=%',
    'a=%ff',
    '__proto__=1',
    'a=1; a=2',
    '\xff=\xff',
    LONG,
    'a=b;'.repeat(1500),
  ],
  host: ['', ' ', 'a b', '[', '[::1', 'x:99999999', 'x:-1', 'ex%ample', 'a@b', 'x/y?z#', '\xff', '.', LONG],
  origin: ['', 'null', '*', 'x', 'http://', 'http://[', 'https://a:b@c', '\xff', `https://${LONG}`],
  referer: ['', 'x', '\xff', LONG],
  range: [
    ...['', 'bytes', 'bytes=', 'bytes=-', 'bytes=--1', 'bytes=0-', 'bytes=5-2', 'bytes=-0', 'bytes=a-b'],
    ...[
      'items=0-1',
      'bytes=0-0,',
      'bytes=0-1,3-4',
      'bytes=1e3-',
      'bytes=0x1-2',
      'bytes=-999999999999999999999',
    ],
    ...[
      `bytes=${'9'.repeat(500)}-`,
      `bytes=0-${'9'.repeat(500)}`,
      `bytes=${'0-1,'.repeat(1000)}0-1`,
      '\xff',
      LONG,
    ],
  ],
  'if-none-match': ['', '*', '"', '""', 'W/', 'W/"', '"a", "b"', 'a', '\xff', LONG, '"a",'.repeat(1500)],
  'if-match': ['', '*', '"', '"a"', LONG],
  'if-range': [
    '',
    '"',
    '""',
    'W/"a"',
    'Wed',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    '-1',
    '9'.repeat(30),
    '\xff',
    LONG,
  ],
  'if-modified-since': ['', '0', '-1', 'Wed', '9'.repeat(30), 'Thu, 01 Jan 1970 00:00:00 GMT', '\xff', LONG],
  'if-unmodified-since': ['', '0', 'Thu, 01 Jan 1970 00:00:00 GMT', LONG],
  'last-event-id': ['', '0', '-1', '1.5', 'NaN', '9'.repeat(400), 'a.b', '__proto__', '%00', '\xff', LONG],
  'x-forwarded-for': [
    '',
    ',',
    'x',
    '1.2.3',
    '::',
    '[::1]:5',
    '1.2.3.4:99999',
    '\xff',
    '1.1.1.1,'.repeat(700),
    LONG,
  ],
  'x-forwarded-proto': ['', 'javascript', 'http,https', LONG],
  'x-forwarded-host': ['', '[', LONG],
  'x-request-id': ['', '\xff', '../../x', LONG],
  'user-agent': ['', '\xff', '%00', LONG],
  expect: ['100-continue', '200-ok', '', LONG],
  connection: ['close', 'keep-alive', 'upgrade', 'Upgrade, close', 'x', ''],
  upgrade: ['websocket', 'h2c', 'WebSocket, x', '', LONG],
  'sec-websocket-key': ['', 'x', 'dGhlIHNhbXBsZSBub25jZQ==', LONG],
  'sec-websocket-version': ['', '0', '13', '99', 'x'],
  'sec-websocket-protocol': ['', ',', 'a, b', 'bearer, x', LONG],
  'sec-websocket-extensions': ['', 'permessage-deflate; server_max_window_bits=99', 'x', LONG],
  'access-control-request-method': ['', 'X', 'GET, POST', LONG],
  'access-control-request-headers': ['', ',', '\xff', LONG],
}

/** A field that is anything: any name, any bytes that a server can get. */
export function anyHeader(random: Random): [name: string, value: string] {
  const letters = 'abcdefghijklmnopqrstuvwxyz-_0123456789'
  const name = Array.from({ length: random.between(1, 20) }, () => random.pick([...letters])).join('')
  const value = Array.from({ length: random.between(0, 60) }, () => {
    const code = random.between(0x20, 0xff)
    return code === 0x7f ? ' ' : String.fromCharCode(code)
  }).join('')
  return [random.chance(0.5) ? random.pick(Object.keys(ODD_HEADERS)) : `x-${name}`, value]
}

/** The whole field of a name: one of the odd values, at times twice, at times with other odd fields beside it. */
export function oddHeaders(random: Random): [name: string, value: string][] {
  const names = Object.keys(ODD_HEADERS)
  return Array.from({ length: random.between(1, 4) }, () => {
    if (random.chance(0.2)) return anyHeader(random)
    const name = random.pick(names)
    return [name, random.pick(ODD_HEADERS[name]!)]
  })
}
