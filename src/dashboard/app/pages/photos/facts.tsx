import type { ComponentChildren } from 'preact'
import { bytes, count, dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { Facts } from '../../ui/parts.tsx'
import { listHref } from './filter.ts'
import type { PhotoDetail } from './photo.tsx'

const t = texts({
  en: {
    description: 'Description',
    taken: 'Taken',
    added: 'Added',
    camera: 'Camera',
    lens: 'Lens',
    exposure: 'Exposure',
    place: 'Place',
    size: 'Size',
    file: 'File',
    views: 'Views',
    categories: 'Categories',
    tags: 'Tags',
    original: 'Original',
    originalHint: 'The file as it was uploaded',
    display: 'For screens, JPEG',
    webp: 'For screens, WebP',
    thumb_large: 'Preview, large',
    thumb_medium: 'Preview, medium',
    thumb_small: 'Preview, small',
  },
  zh: {
    description: '说明',
    taken: '拍摄时间',
    added: '添加时间',
    camera: '相机',
    lens: '镜头',
    exposure: '曝光',
    place: '地点',
    size: '尺寸',
    file: '文件',
    views: '浏览量',
    categories: '分类',
    tags: '标签',
    original: '原图',
    originalHint: '上传时的文件',
    display: '屏幕尺寸 JPEG',
    webp: '屏幕尺寸 WebP',
    thumb_large: '大预览图',
    thumb_medium: '中预览图',
    thumb_small: '小预览图',
  },
})

const joined = (parts: readonly (string | null | false | undefined)[]): string =>
  parts.filter(Boolean).join(' · ')

export function PhotoFacts({ photo }: { photo: PhotoDetail }) {
  const { exif, location, file_info: file } = photo
  const { latitude, longitude } = location
  const rows: [string, ComponentChildren][] = [
    [t.description, photo.description && <span class="pre-line">{photo.description}</span>],
    [t.taken, photo.taken_at && <time dateTime={photo.taken_at}>{dateTime(photo.taken_at)}</time>],
    [t.camera, exif.camera],
    [t.lens, exif.lens],
    [
      t.exposure,
      joined([exif.shutter_speed, exif.aperture, exif.iso !== null && `ISO ${exif.iso}`, exif.focal_length]),
    ],
    [
      t.place,
      joined([
        location.name,
        location.city,
        location.country,
        latitude !== null && longitude !== null && `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`,
      ]),
    ],
    [t.categories, photo.categories.length > 0 && <Chips photo={photo} of="categories" />],
    [t.tags, photo.tags.length > 0 && <Chips photo={photo} of="tags" />],
    [t.size, photo.width !== null && `${photo.width} × ${photo.height}`],
    [t.file, joined([file.original_filename, bytes(file.file_size), file.mime_type])],
    [t.views, count(photo.view_count)],
    [t.added, <time dateTime={photo.created_at}>{dateTime(photo.created_at)}</time>],
  ]
  return <Facts facts={rows.filter(([, value]) => value)} />
}

const Chips = ({ photo, of }: { photo: PhotoDetail; of: 'categories' | 'tags' }) => (
  <ul class="chips">
    {photo[of].map(({ id, name }) => (
      <li key={id}>
        <a class="chip" href={listHref(of === 'tags' ? { tag: name } : { category: String(id) })}>
          {of === 'tags' ? `#${name}` : name}
        </a>
      </li>
    ))}
  </ul>
)

const FORMATS = ['original', 'display', 'webp', 'thumb_large', 'thumb_medium', 'thumb_small'] as const

/** For visitors, `original` is one of the others. */
export const Downloads = ({ photo }: { photo: PhotoDetail }) => (
  <ul class="stack-tight">
    {FORMATS.filter((name) => name !== 'original' || photo.file_id !== null).map((name) => (
      <li key={name}>
        <a href={photo.formats[name]} target="_blank" rel="noreferrer" download>
          {t[name]}
        </a>{' '}
        {name === 'original' && <span class="small muted">{t.originalHint}</span>}
      </li>
    ))}
  </ul>
)
