import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { isEditor } from '../../lib/session.ts'
import { PageHead, TabLinks } from '../../ui/parts.tsx'
import { UploadChooser } from '../../uploads/chooser.tsx'

const t = texts({
  en: { label: 'Photos', library: 'All photos', map: 'Categories and tags', timeline: 'Timeline' },
  zh: { label: '照片', library: '全部照片', map: '分类与标签', timeline: '时间线' },
})

/** The head of the pages about many photos. */
export const PhotosHead = ({ current }: { current: 'library' | 'map' | 'timeline' }) => (
  <>
    <PageHead title={t.label}>{isEditor.value && <UploadChooser />}</PageHead>
    <TabLinks
      label={t.label}
      current={current}
      tabs={[
        ['library', t.library, href('/photos')],
        ['map', t.map, href('/photos/map')],
        ['timeline', t.timeline, href('/photos/timeline')],
      ]}
    />
  </>
)
