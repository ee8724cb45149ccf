import { expect, test } from 'bun:test'
import { savedFileName, shownFileName } from '../../src/util/file-names.ts'

test.each([
  ['照片 1.jpg', '照片 1.jpg'],
  ['👩‍👩‍👧.jpg', '👩‍👩‍👧.jpg'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\a\\b.jpg', 'b.jpg'],
  ['a\0b\r\n\t\x7f\u0085.jpg', 'ab.jpg'],
  ['a\u2028b\u2029.jpg', 'ab.jpg'],
  ['photo_\u202egpj.exe', 'photo_gpj.exe'],
  ['\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069.jpg', '.jpg'],
  ['\ud800.jpg', '\ufffd.jpg'],
  ['', 'photo'],
  ['  ', 'photo'],
  ['a/', 'photo'],
  ['..', 'photo'],
  ['\u202e', 'photo'],
  ['x'.repeat(300), 'x'.repeat(255)],
])('%j is shown as %j', (name, shown) => {
  expect(shownFileName(name, 'photo')).toBe(shown)
})

test.each([
  ['DSC_1.jpg', 'jpg', 'DSC_1.jpg'],
  ['DSC_1.JPG', 'jpg', 'DSC_1.JPG'],
  ['a.jpeg', 'jpg', 'a.jpeg'],
  ['a.tif', 'tiff', 'a.tif'],
  ['a.jpg', 'png', 'a.png'],
  ['a.exe', 'jpg', 'a.jpg'],
  ['a.html.', 'jpg', 'a.jpg'],
  ['no extension', 'dng', 'no extension.dng'],
  ['2024.01.15', 'jpg', '2024.01.15.jpg'],
  ['.png', 'jpg', 'photo.jpg'],
  ['a\u202egpj.exe', 'png', 'agpj.png'],
  ['a.constructor', 'jpg', 'a.constructor.jpg'],
  ['', 'webp', 'photo.webp'],
])('%j with the content of %s is saved as %j', (name, extension, saved) => {
  expect(savedFileName(name, extension, 'photo')).toBe(saved)
})
