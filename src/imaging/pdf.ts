/** Draws the first page of a PDF with PDFium in WebAssembly, where a memory error can't leave the module's own memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { init } from '@embedpdf/pdfium'
import { provideFonts } from './fonts.ts'
import { fit, type Pixels } from './picture.ts'
import { ImagingError, type Size } from './protocol.ts'

const WASM = fileURLToPath(import.meta.resolve('@embedpdf/pdfium/pdfium.wasm'))

// fpdfview.h
const PASSWORD_ERROR = 4
const WITH_ANNOTATIONS = 0x01
const RGB_ORDER = 0x10
const WITHOUT_ALPHA = 0
const WHITE = 0xffffffff
/** A pixel whose values are all higher counts as white; alpha is 255 everywhere. */
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

/** Read it anew each time, because it is replaced when the memory grows. The package's types lack it. */
const memory = () => (pdfium.pdfium as unknown as { HEAPU8: Uint8Array }).HEAPU8

provideFonts(pdfium, memory)

/** @param memoryMiB the child's limit for decoding */
export const renderPdf = (file: string, box: Size, memoryMiB: number): { pixels: Pixels; pages: number } =>
  withDocument(file, memoryMiB, ({ document, pages }) => {
    const page = firstPage(document)
    const pixels = draw(page, box)
    if (pixels.data.every((value) => value > WHITE_FROM) && hasText(page)) {
      throw new ImagingError('UNREADABLE', 'its text needs a font that is neither in it nor here')
    }
    return { pixels, pages }
  })

export const measurePdf = (file: string, memoryMiB: number): { pages: number } =>
  withDocument(file, memoryMiB, ({ pages }) => ({ pages }))

function withDocument<T>(
  file: string,
  memoryMiB: number,
  use: (opened: { document: number; pages: number }) => T,
): T {
  reserve(memoryMiB)
  const fd = openSync(file, 'r')
  try {
    return use(open(fd))
  } catch (error) {
    // PDFium aborts when it gets no memory.
    throw isFull ? new ImagingError('MEMORY', 'PDFium got no more memory') : error
  } finally {
    closeSync(fd)
  }
}

/**
 * Grows WebAssembly's memory once, to most of the limit. Each growth copies all of the memory, and the old copies stay
 * until the garbage collection, which does not run while a page is drawn. Memory that is not used costs nothing.
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
    throw new ImagingError('UNREADABLE', locked ? 'it asks for a password' : 'it is no PDF, or a damaged one')
  }
  return { document, pages: pdfium.FPDF_GetPageCount(document) }
}

function firstPage(document: number): number {
  const page = pdfium.FPDF_LoadPage(document, 0)
  if (page === 0) throw new ImagingError('UNREADABLE', 'it has no first page that can be read')
  return page
}

function draw(page: number, box: Size): Pixels {
  const shape = { width: pdfium.FPDF_GetPageWidthF(page), height: pdfium.FPDF_GetPageHeightF(page) }
  if (!(shape.width > 0 && shape.height > 0))
    throw new ImagingError('UNREADABLE', 'its first page has no area')
  const { width, height } = fit(shape, box)
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
    // 0 is a character without a Unicode value.
    if (code === 0 || !/\s/.test(String.fromCodePoint(code))) return true
  }
  return false
}

/** Makes an FPDF_FILEACCESS: PDFium reads the parts that it needs, so that a large file does not have to be in memory. */
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
