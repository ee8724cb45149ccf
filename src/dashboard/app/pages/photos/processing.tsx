/** How far the server is with the file of a photo, step by step. */
import { dataOf, type PhotoUploadUpdateData } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useTopic } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card, Progress } from '../../ui/parts.tsx'
import type { PhotoDetail } from './photo.tsx'

const t = texts({
  en: {
    title: 'Processing',
    failed: 'The server could not process the file.',
    again: 'Process again',
    completed: 'done',
    processing: 'runs',
    pending: 'to come',
    failedStep: 'failed',
    uploaded: 'File received',
    exif_extraction: 'Data of the camera',
    generating_thumbnails: 'Previews',
    optimization: 'Pictures for screens',
  },
  zh: {
    title: '处理进度',
    failed: '服务器无法处理该文件。',
    again: '重新处理',
    completed: '完成',
    processing: '进行中',
    pending: '待处理',
    failedStep: '失败',
    uploaded: '已接收文件',
    exif_extraction: '读取相机信息',
    generating_thumbnails: '生成预览图',
    optimization: '生成屏幕尺寸',
  },
})

const STEPS = ['uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'] as const
type Step = (typeof STEPS)[number]
type StepState = 'completed' | 'processing' | 'pending' | 'failed'

function stateOf(step: Step, { status, step: current }: PhotoUploadUpdateData): StepState {
  const by = STEPS.indexOf(step) - STEPS.indexOf(current)
  if (by !== 0) return by < 0 ? 'completed' : 'pending'
  return status === 'failed' || status === 'processing' ? status : 'completed'
}

/** Has the pictures made again, such as after the site's settings have changed. */
export const Reprocess = ({ fileId, small = false }: { fileId: string; small?: boolean }) => (
  <Button
    small={small}
    icon="retry"
    onClick={() => dataOf(api().portfolio.upload({ file_id: fileId }).reprocess.post({ force: true }))}
  >
    {t.again}
  </Button>
)

/** Shown while the file is processed, and when that has failed. */
export function Processing({
  photo,
  fileId,
  mayChange,
}: {
  photo: PhotoDetail
  fileId: `upload_${string}`
  mayChange: boolean
}) {
  const now = useTopic(`upload:${fileId}`)
  if (!now || (now.status === 'completed' && photo.processing_status === 'completed')) return null
  const isFailed = now.status === 'failed'
  return (
    <Card title={t.title} actions={isFailed && mayChange && <Reprocess fileId={fileId} />}>
      <Progress value={now.percent} label={t.title} />
      <ol class="processing-steps">
        {STEPS.map((step) => {
          const state = stateOf(step, now)
          return (
            <li key={step} data-state={state}>
              {state === 'completed' && <Icon name="check" size={16} />}
              {state === 'failed' && <Icon name="close" size={16} />}
              {t[step]}
              <span class="small muted">{state === 'failed' ? t.failedStep : t[state]}</span>
            </li>
          )
        })}
      </ol>
      {isFailed && <p role="alert">{t.failed}</p>}
    </Card>
  )
}
