/** Which files the server takes, so that others are refused before they are sent. */
import { dataOf } from '../../../client/index.ts'
import { bytes } from '../lib/format.ts'
import { texts } from '../lib/language.ts'
import { api, isAdmin, isEditor, me } from '../lib/session.ts'

const t = texts({
  en: {
    unknown: 'Neither a photo, nor a video (mp4, webm), nor a PDF.',
    empty: 'The file is empty.',
    tooLarge: (limit: string) => `Larger than ${limit}.`,
    notAllowed: 'This server takes no photos of this type.',
    editorsOnly: 'Only editors may upload photos.',
  },
  zh: {
    unknown: '不是照片、视频（mp4、webm）或 PDF。',
    empty: '文件为空。',
    tooLarge: (limit: string) => `超过 ${limit}。`,
    notAllowed: '此服务器不接受这种类型的照片。',
    editorsOnly: '只有编辑者可以上传照片。',
  },
})

const MB = 1024 * 1024
/** docs/contracts/learning.md, "File formats". */
const MATERIALS: Record<string, number> = {
  ...Object.fromEntries(
    ['mp4', 'm4v', 'mov', '3gp', '3g2', 'webm'].map((extension) => [extension, 500 * MB]),
  ),
  pdf: 50 * MB,
}
/** docs/contracts/portfolio.md, "Uploads". */
const PHOTOS: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  heic: 'image/heic',
  heif: 'image/heif',
  avif: 'image/avif',
  ...Object.fromEntries(
    ['dng', 'cr2', 'cr3', 'nef', 'arw', 'raf', 'orf', 'rw2'].map((extension) => [extension, 'image/raw']),
  ),
}

/** What a file chooser offers. */
export const accepted = (): string =>
  Object.keys({ ...MATERIALS, ...(isEditor.value && PHOTOS) })
    .map((extension) => `.${extension}`)
    .join()

export interface PhotoLimits {
  maxBytes: number
  /** Undefined for all. */
  types: readonly string[] | undefined
  publishes: boolean
}

/** The site's limits. Whoever may not read the settings gets the defaults; the server decides in the end. */
export async function photoLimits(): Promise<PhotoLimits> {
  const defaults = { maxBytes: 50 * MB, types: undefined, publishes: false }
  if (!isAdmin.peek()) return defaults
  const { data } = await dataOf(api().portfolio.settings.get({ query: { category: 'upload' } }))
  const { max_file_size, allowed_types, auto_publish } = data.upload as {
    max_file_size: number
    allowed_types: string[]
    auto_publish: boolean
  }
  return { maxBytes: max_file_size, types: allowed_types, publishes: auto_publish }
}

export type Checked = { file: File; kind: 'photo' | 'material' } | { file: File; problem: string }

export function checkFile(file: File, limits: PhotoLimits): Checked {
  const extension = file.name.split('.').at(-1)!.toLowerCase()
  const photo = PHOTOS[extension]
  const largest = photo === undefined ? MATERIALS[extension] : limits.maxBytes
  if (largest === undefined) return { file, problem: t.unknown }
  // Until the profile has arrived, only the server knows who may upload photos.
  const isRefused = me.peek() !== undefined && !isEditor.peek()
  if (photo !== undefined && isRefused) return { file, problem: t.editorsOnly }
  if (photo !== undefined && limits.types?.includes(photo) === false) return { file, problem: t.notAllowed }
  if (file.size === 0) return { file, problem: t.empty }
  if (file.size > largest) return { file, problem: t.tooLarge(bytes(largest)) }
  return { file, kind: photo === undefined ? 'material' : 'photo' }
}
