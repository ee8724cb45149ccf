/**
 * Fonts for PDFs that name a font without embedding it. PDFium has Latin fonts built in and asks for others through an
 * FPDF_SYSFONTINFO (fpdf_sysfontinfo.h).
 */
import { readFileSync } from 'node:fs'
import type { WrappedPdfiumModule } from '@embedpdf/pdfium'
import { CJK_FONT } from './font-files.ts'

/** The character sets of fpdf_sysfontinfo.h that the font covers. It lacks Hangul. */
const SHIFT_JIS = 128
const GB2312 = 134
const CHINESE_BIG5 = 136
const COVERED = new Set([SHIFT_JIS, GB2312, CHINESE_BIG5])
/** The handle that PDFium and these functions use for the font; 0 is none. */
const CJK = 1
const VERSION = 1

/** Makes PDFium ask these functions for fonts. Call it once in a process, because nothing frees the functions. */
export function provideFonts(pdfium: WrappedPdfiumModule, memory: () => Uint8Array): void {
  const { addFunction, setValue, wasmExports } = pdfium.pdfium
  let font: Uint8Array | undefined

  const mapFont = (_: number, _weight: number, _italic: number, charset: number): number =>
    COVERED.has(charset) ? CJK : 0
  /** Answers only for the whole font, which is table 0. PDFium asks for other tables to detect a font collection. */
  const getFontData = (_: number, handle: number, table: number, target: number, size: number): number => {
    if (handle !== CJK || table !== 0) return 0
    font ??= readFileSync(CJK_FONT)
    if (target !== 0 && size >>> 0 >= font.length) memory().set(font, target >>> 0)
    return font.length
  }
  const getFaceName = (_: number, _handle: number, target: number, size: number): number => {
    const name = Buffer.from('Noto Sans Hans\0')
    if (target !== 0 && size >>> 0 >= name.length) memory().set(name, target >>> 0)
    return name.length
  }
  const functions: [(...args: number[]) => number | undefined, string][] = [
    [() => undefined, 'vi'],
    [() => undefined, 'vii'],
    [mapFont as never, 'iiiiiiii'],
    [() => 0, 'iii'],
    [getFontData as never, 'iiiiii'],
    [getFaceName as never, 'iiiii'],
    [() => GB2312, 'iii'],
    [() => undefined, 'vii'],
  ]
  const info = wasmExports.malloc(4 * (functions.length + 1))
  setValue(info, VERSION, 'i32')
  for (const [i, [run, signature]] of functions.entries()) {
    setValue(info + 4 * (i + 1), addFunction(run, signature), 'i32')
  }
  pdfium.FPDF_SetSystemFontInfo(info)
}
