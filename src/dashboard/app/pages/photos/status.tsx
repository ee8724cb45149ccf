import { texts } from '../../lib/language.ts'
import { Badge, type Tone } from '../../ui/parts.tsx'
import type { Photo } from './photo-list.ts'

export const STATUS_TEXTS = texts({
  en: {
    draft: 'Draft',
    published: 'Published',
    archived: 'Archived',
    public: 'Public',
    private: 'Private',
  },
  zh: { draft: '草稿', published: '已发布', archived: '已归档', public: '公开', private: '私密' },
})

const TONES: Record<string, Tone> = { published: 'good', draft: 'warn', private: 'info' }

/** Whether others see a photo, in a word or two. */
export const PhotoState = ({
  photo: { status, visibility },
}: {
  photo: Pick<Photo, 'status' | 'visibility'>
}) => (
  <>
    <Badge tone={TONES[status] ?? ''}>{STATUS_TEXTS[status]}</Badge>
    <Badge tone={TONES[visibility] ?? ''}>{STATUS_TEXTS[visibility]}</Badge>
  </>
)
