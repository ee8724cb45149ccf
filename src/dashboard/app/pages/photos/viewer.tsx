/** The picture, with the ways to the photos before and after it: buttons, arrow keys, a swipe. */
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../../lib/language.ts'
import { navigate } from '../../lib/router.ts'
import { Icon } from '../../ui/icon.tsx'
import type { PhotoDetail } from './photo.tsx'
import { placeholderOf } from './placeholder.ts'

const t = texts({
  en: {
    keys: 'Arrow keys lead to the photos before and after this one.',
    waits: 'The picture appears here once the server has processed the file.',
    failed: 'There is no picture, because the file could not be processed.',
  },
  zh: {
    keys: '用方向键切换上一张或下一张。',
    waits: '服务器处理完文件后，图片会显示在这里。',
    failed: '文件处理失败，没有图片。',
  },
})

interface Way {
  to: string
  label: string
}

/** Of a swipe, in pixels. */
const FAR = 60

export function Viewer({
  photo,
  previous,
  next,
  onImageError,
}: {
  photo: PhotoDetail
  previous: Way | undefined
  next: Way | undefined
  onImageError: () => void
}) {
  const begin = useRef<Touch | undefined>(undefined)
  const isThere = useSignal(false)
  const ways = useRef({ previous, next })
  ways.current = { previous, next }

  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
      const target = event.target as HTMLElement
      if (target.closest('input, textarea, select, dialog, [role="toolbar"]')) return
      const way =
        event.key === 'ArrowLeft'
          ? ways.current.previous
          : event.key === 'ArrowRight'
            ? ways.current.next
            : undefined
      if (way) navigate(way.to, { replace: true })
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])

  const onTouchEnd = (event: TouchEvent) => {
    const [from, to] = [begin.current, event.changedTouches[0]]
    if (!from || !to) return
    // The finger moves a picture that is zoomed in.
    if (visualViewport && visualViewport.scale > 1) return
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY]
    if (Math.abs(x) < FAR || Math.abs(x) < 2 * Math.abs(y)) return
    const way = x > 0 ? ways.current.previous : ways.current.next
    if (way) navigate(way.to, { replace: true })
  }

  const { formats, width, height } = photo
  const [w, h] = [width ?? 3, height ?? 1]
  const background = placeholderOf(photo.placeholder)
  return (
    <figure
      class="viewer"
      title={previous || next ? t.keys : undefined}
      onTouchStart={(event) => {
        // Two fingers zoom.
        begin.current = event.touches.length === 1 ? event.touches[0] : undefined
      }}
      onTouchEnd={onTouchEnd}
    >
      <picture
        style={{
          aspectRatio: `${w} / ${h}`,
          // As wide as its part of the window is high.
          width: `min(100%, calc(72dvh * ${w / h}))`,
          ...(background && !isThere.value && { backgroundImage: background }),
        }}
      >
        {photo.processing_status !== 'completed' ? (
          <span class="viewer-empty muted">{photo.processing_status === 'failed' ? t.failed : t.waits}</span>
        ) : (
          <>
            <source type="image/webp" srcset={formats.webp} />
            <img
              alt={photo.description || photo.title}
              width={w}
              height={h}
              src={formats.display}
              onLoad={() => {
                isThere.value = true
              }}
              onError={onImageError}
            />
          </>
        )}
      </picture>
      {previous && (
        <a
          class="viewer-way previous"
          href={previous.to}
          aria-label={previous.label}
          onClick={replacing(previous)}
        >
          <Icon name="left" size={28} />
        </a>
      )}
      {next && (
        <a class="viewer-way next" href={next.to} aria-label={next.label} onClick={replacing(next)}>
          <Icon name="right" size={28} />
        </a>
      )}
    </figure>
  )
}

/** “Back” leads to the list, however many photos were looked at. */
const replacing =
  ({ to }: Way) =>
  (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    navigate(to, { replace: true })
  }
