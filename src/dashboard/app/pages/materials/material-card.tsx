import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { Icon } from '../../ui/icon.tsx'
import { Ago, Badge } from '../../ui/parts.tsx'
import type { Material } from './index.tsx'

const t = texts({
  en: {
    noPreview: 'No preview yet',
    video: 'Video',
    pdf: 'PDF',
    views: (n: number, text: string) => (n === 1 ? '1 view' : `${text} views`),
    likes: (n: number, text: string) => (n === 1 ? '1 like' : `${text} likes`),
  },
  zh: {
    noPreview: '暂无预览',
    video: '视频',
    pdf: 'PDF',
    views: (_: number, text: string) => `${text} 次浏览`,
    likes: (_: number, text: string) => `${text} 个赞`,
  },
})

export const MaterialCard = ({ material }: { material: Material }) => (
  <a class="material-card" href={href(`/materials/${material.id}`)}>
    <Thumbnail material={material} />
    <span class="material-about">
      <strong class="truncate" title={material.title}>
        {material.title}
      </strong>
      <span class="small muted truncate">
        {material.uploader_name} · <Ago at={material.created_at} />
      </span>
      <span class="row small muted number">
        <Badge>{t[material.type]}</Badge>
        <Numbers material={material} />
      </span>
    </span>
  </a>
)

export const Thumbnail = ({
  material: { thumbnail_url, type },
}: {
  material: Pick<Material, 'thumbnail_url' | 'type'>
}) => (
  <span class="material-thumb">
    {thumbnail_url ? (
      <img src={thumbnail_url} alt="" loading="lazy" width={320} height={180} />
    ) : (
      <span class="muted small stack-tight">
        <Icon name={type === 'pdf' ? 'log' : 'play'} size={32} />
        {t.noPreview}
      </span>
    )}
  </span>
)

/** How often it was viewed and liked. */
export const Numbers = ({
  material: { view_count, like_count },
}: {
  material: Pick<Material, 'view_count' | 'like_count'>
}) => (
  <>
    <Figure icon="eye" value={view_count} text={t.views(view_count, count(view_count))} />
    <Figure icon="heart" value={like_count} text={t.likes(like_count, count(like_count))} />
  </>
)

const Figure = ({ icon, value, text }: { icon: 'eye' | 'heart'; value: number; text: string }) => (
  <span class="row material-number" title={text}>
    <Icon name={icon} size={15} />
    <span aria-hidden="true">{count(value)}</span>
    <span class="hidden-text">{text}</span>
  </span>
)
