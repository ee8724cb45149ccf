/** The first page of a PDF, by PDFium in WebAssembly: what goes wrong in it stays in its own memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { init } from '@embedpdf/pdfium'
import { provideFonts } from './fonts.ts'
import { fit, type Pixels } from './picture.ts'
import { ThumbnailError } from './protocol.ts'

const WASM = fileURLToPath(import.meta.resolve('@embedpdf/pdfium/pdfium.wasm'))

// fpdfview.h
const PASSWORD_ERROR = 4
const WITH_ANNOTATIONS = 0x01
const RGB_ORDER = 0x10
const WITHOUT_ALPHA = 0
const WHITE = 0xffffffff
/** A value of a pixel above which it is white; alpha is 255 everywhere. */
const WHITE_FROM = 250

let isFull = false
const pdfium = await init({
  wasmBinary: await readFile(WASM),
  print() {},
  printErr: (line: string) => {
    if (/enlarge memory|grow the heap/.test(line)) isFull = true
  },
})
pdfium.PDFiumExt_Init()

/** Looked up each time: when the memory grows it is another one. The package's types lack it. */
const memory = () => (pdfium.pdfium as unknown as { HEAPU8: Uint8Array }).HEAPU8

provideFonts(pdfium, memory)

/** @param memoryMiB what it may use */
export function renderPdf(file: string, memoryMiB: number): { pixels: Pixels; pages: number } {
  reserve(memoryMiB)
  const fd = openSync(file, 'r')
  try {
    const { document, pages } = open(fd)
    const page = firstPage(document)
    const pixels = draw(page)
    if (pixels.data.every((value) => value > WHITE_FROM) && hasText(page)) {
      throw new ThumbnailError('UNREADABLE', 'its text needs a font that is neither in it nor here')
    }
    return { pixels, pages }
  } catch (error) {
    // PDFium aborts when it gets no memory.
    throw isFull ? new ThumbnailError('MEMORY', 'PDFium got no more memory') : error
  } finally {
    closeSync(fd)
  }
}

/**
 * WebAssembly's memory grows by copies of all of it, and the old ones stay until the next collection, which has no
 * moment to run: so it grows once. Pages that are not used cost nothing.
 */
function reserve(memoryMiB: number): void {
  const { malloc, free } = pdfium.pdfium.wasmExports
  free(malloc(Math.floor(memoryMiB * 0.75) * 1024 * 1024))
  isFull = false
}

function open(fd: number): { document: number; pages: number } {
  const document = pdfium.FPDF_LoadCustomDocument(fileAccess(fd), '')
  if (document === 0) {
    const locked = pdfium.FPDF_GetLastError() === PASSWORD_ERROR
    throw new ThumbnailError(
      'UNREADABLE',
      locked ? 'it asks for a password' : 'it is no PDF, or a damaged one',
    )
  }
  return { document, pages: pdfium.FPDF_GetPageCount(document) }
}

function firstPage(document: number): number {
  const page = pdfium.FPDF_LoadPage(document, 0)
  if (page === 0) throw new ThumbnailError('UNREADABLE', 'it has no first page that can be read')
  return page
}

function draw(page: number): Pixels {
  const shape = { width: pdfium.FPDF_GetPageWidthF(page), height: pdfium.FPDF_GetPageHeightF(page) }
  if (!(shape.width > 0 && shape.height > 0))
    throw new ThumbnailError('UNREADABLE', 'its first page has no area')
  const { width, height } = fit(shape)
  const bitmap = pdfium.FPDFBitmap_Create(width, height, WITHOUT_ALPHA)
  if (bitmap === 0) throw new Error('no memory for its picture')
  pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE)
  pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, WITH_ANNOTATIONS | RGB_ORDER)
  const start = pdfium.FPDFBitmap_GetBuffer(bitmap)
  const data = memory().slice(start, start + pdfium.FPDFBitmap_GetStride(bitmap) * height)
  return { data, width, height, channels: 4 }
}

function hasText(page: number): boolean {
  const text = pdfium.FPDFText_LoadPage(page)
  if (text === 0) return false
  const count = pdfium.FPDFText_CountChars(text)
  for (let i = 0; i < count; i++) {
    const code = pdfium.FPDFText_GetUnicode(text, i)
    // Without a Unicode value it is a character all the same.
    if (code === 0 || !/\s/.test(String.fromCodePoint(code))) return true
  }
  return false
}

/** An FPDF_FILEACCESS: PDFium reads the parts that it wants, so that a large file isn't held in memory. */
function fileAccess(fd: number): number {
  const { addFunction, setValue, wasmExports } = pdfium.pdfium
  const read = (_: number, position: number, target: number, size: number): number =>
    readSync(fd, memory(), target >>> 0, size >>> 0, position >>> 0) === size >>> 0 ? 1 : 0
  const access = wasmExports.malloc(12)
  setValue(access, fstatSync(fd).size, 'i32')
  setValue(access + 4, addFunction(read, 'iiiii'), 'i32')
  setValue(access + 8, 0, 'i32')
  return access
}
