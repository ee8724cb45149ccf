/**
 * Decodes HEIC with libheif in WebAssembly, where a memory error can't leave the module's own memory. sharp's own libheif
 * has no decoder for HEVC.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { ImagingError } from '../protocol.ts'
import { checkPixels } from './pixels.ts'
import { tiffHolding } from './tiff.ts'

/** Functions of libheif/heif.h. One that returns a `heif_error` takes the address for it first. */
interface Libheif {
  HEAPU8: Uint8Array
  HEAPU32: Uint32Array
  _malloc(size: number): number
  _heif_context_alloc(): number
  _heif_context_read_from_memory(
    error: number,
    context: number,
    data: number,
    size: number,
    options: number,
  ): void
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void
  _heif_image_handle_get_width(handle: number): number
  _heif_image_handle_get_height(handle: number): number
  _heif_image_handle_has_alpha_channel(handle: number): number
  _heif_image_handle_get_raw_color_profile_size(handle: number): number
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, target: number): void
  _heif_decode_image(
    error: number,
    handle: number,
    image: number,
    colourspace: number,
    chroma: number,
    options: number,
  ): void
  _heif_image_get_width(image: number, channel: number): number
  _heif_image_get_height(image: number, channel: number): number
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number
}

const COLOURSPACE_RGB = 1
const CHROMA_INTERLEAVED_RGB = 10
const CHROMA_INTERLEAVED_RGBA = 11
const CHANNEL_INTERLEAVED = 10

/**
 * The primary image with its transformations applied, as a TIFF, because sharp takes a colour profile only within a file.
 * Nothing is freed, because the process ends after one photo.
 */
export function decodeHeif(file: Uint8Array): Buffer {
  const heif = start()
  /** A `heif_error`, and behind it a place for one result. */
  const error = heif._malloc(16)
  const result = error + 12
  const must = () => {
    if (heif.HEAPU32[error / 4] !== 0) throw new ImagingError('UNREADABLE', text(heif, error))
    return heif.HEAPU32[result / 4]!
  }

  const data = heif._malloc(file.length)
  if (data === 0) throw new ImagingError('MEMORY', 'libheif got no memory')
  heif.HEAPU8.set(file, data)
  const context = heif._heif_context_alloc()
  heif._heif_context_read_from_memory(error, context, data, file.length, 0)
  must()
  heif._heif_context_get_primary_image_handle(error, context, result)
  const handle = must()
  checkPixels({
    width: heif._heif_image_handle_get_width(handle),
    height: heif._heif_image_handle_get_height(handle),
  })

  const hasAlpha = heif._heif_image_handle_has_alpha_channel(handle) !== 0
  const chroma = hasAlpha ? CHROMA_INTERLEAVED_RGBA : CHROMA_INTERLEAVED_RGB
  heif._heif_decode_image(error, handle, result, COLOURSPACE_RGB, chroma, 0)
  const image = must()
  const size = {
    width: heif._heif_image_get_width(image, CHANNEL_INTERLEAVED),
    height: heif._heif_image_get_height(image, CHANNEL_INTERLEAVED),
  }
  const plane = heif._heif_image_get_plane_readonly(image, CHANNEL_INTERLEAVED, result)
  const stride = heif.HEAPU32[result / 4]!
  const profile = profileOf(heif, handle, error)
  const pixels = heif.HEAPU8.subarray(plane, plane + stride * size.height)
  return tiffHolding(pixels, { ...size, stride, channels: hasAlpha ? 4 : 3 }, profile)
}

function start(): Libheif {
  const factory = createRequire(import.meta.url)('libheif-js/libheif-wasm/libheif.js') as (
    options: object,
  ) => Libheif
  const wasm = fileURLToPath(import.meta.resolve('libheif-js/libheif-wasm/libheif.wasm'))
  return factory({ wasmBinary: readFileSync(wasm), print() {}, printErr() {} })
}

/** The ICC profile. */
function profileOf(heif: Libheif, handle: number, error: number): Uint8Array | undefined {
  const size = heif._heif_image_handle_get_raw_color_profile_size(handle)
  if (size === 0) return undefined
  const target = heif._malloc(size)
  heif._heif_image_handle_get_raw_color_profile(error, handle, target)
  return heif.HEAPU8.slice(target, target + size)
}

/** The message of a `heif_error`. */
function text({ HEAPU8, HEAPU32 }: Libheif, error: number): string {
  const start = HEAPU32[error / 4 + 2]!
  return `libheif: ${Buffer.from(HEAPU8.subarray(start, HEAPU8.indexOf(0, start))).toString()}`
}
