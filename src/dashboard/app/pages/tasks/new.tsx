/** Create a GPU task or a study task. */
import { texts } from '../../lib/language.ts'
import { href, route } from '../../lib/router.ts'
import { PageHead, TabLinks } from '../../ui/parts.tsx'
import { NewGpuTask } from './new-gpu.tsx'
import { NewStudyTask } from './new-study.tsx'
import { taskTexts } from './parts.tsx'

const t = texts({ en: { title: 'New task' }, zh: { title: '新建任务' } })

export default function NewTask() {
  const kind = route.value.query.get('kind') === 'study' ? 'study' : 'gpu'
  return (
    <>
      <PageHead title={t.title} />
      <TabLinks
        label={t.title}
        current={kind}
        tabs={[
          ['gpu', taskTexts.gpu, href('/tasks/new')],
          ['study', taskTexts.study, href('/tasks/new', { kind: 'study' })],
        ]}
      />
      {kind === 'gpu' ? <NewGpuTask /> : <NewStudyTask />}
    </>
  )
}
