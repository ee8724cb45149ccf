import { texts } from '../../lib/language.ts'
import { Highlight } from './highlight.tsx'
import type { FoundPhoto, Photo } from './photo-list.ts'
import { placeholderOf } from './placeholder.ts'
import { STATUS_TEXTS } from './status.tsx'

const t = texts({
  en: { select: (title: string) => `Select ${title}`, loading: 'Loading', failed: 'Not processed' },
  zh: { select: (title: string) => `选择 ${title}`, loading: '加载中', failed: '未能处理' },
})

interface Props {
  photo: Photo | FoundPhoto
  index: number
  /** Pixels. */
  size: number
  to: string
  /** Undefined where photos cannot be selected. */
  select: ((event: Event, index: number, photo: Photo) => void) | undefined
  isSelected: boolean
  /** A click selects in place of opening the photo. */
  isSelecting: boolean
  onImageError: () => void
}

export function Cell({ photo, index, size, to, select, isSelected, isSelecting, onImageError }: Props) {
  const background = placeholderOf(photo.placeholder)
  const isWaiting = photo.processing_status === 'pending' || photo.processing_status === 'processing'
  return (
    <>
      <a
        class="photo-cell"
        href={to}
        data-index={index}
        aria-label={photo.title}
        style={{ height: `${size}px`, ...(background && { backgroundImage: background }) }}
        onClick={isSelecting && select ? (event) => select(event, index, photo) : undefined}
      >
        {photo.processing_status === 'completed' && (
          <img
            alt=""
            width={size}
            height={size}
            decoding="async"
            src={photo.formats.thumb_medium}
            {...sourcesOf(photo, size)}
            onError={onImageError}
          />
        )}
        {isWaiting && <span class="photo-wait" role="img" aria-label={t.loading} />}
        {photo.processing_status === 'failed' && <span class="badge bad">{t.failed}</span>}
        <span class="photo-name">{photo.title}</span>
      </a>
      {(photo.status !== 'published' || photo.visibility === 'private') && (
        <span class="photo-state badge">
          {STATUS_TEXTS[photo.status === 'published' ? photo.visibility : photo.status]}
        </span>
      )}
      {select && (
        <label class="photo-check">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={t.select(photo.title)}
            onClick={(event) => select(event, index, photo)}
          />
        </label>
      )}
      {'highlight' in photo && (
        <p class="photo-caption small">
          <strong class="truncate">
            <Highlight html={photo.highlight.title} />
          </strong>
          <span class="truncate muted">
            <Highlight html={photo.highlight.description} />
          </span>
        </p>
      )}
    </>
  )
}

/**
 * The three thumbnails fit into squares. A cell shows a square part of the photo, so the whole picture is as much larger than the
 * cell as its longer side is longer than the other.
 */
function sourcesOf({ formats, width, height }: Photo, size: number) {
  const ratio = width && height ? Math.max(width / height, height / width) : 1.5
  return {
    srcset: `${formats.thumb_small} 150w, ${formats.thumb_medium} 300w, ${formats.thumb_large} 600w`,
    sizes: `${Math.round(size * ratio)}px`,
  }
}
