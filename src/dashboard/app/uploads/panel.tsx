/** The uploads, in the corner of every page. */
import { useSignal } from '@preact/signals'
import { bytes } from '../lib/format.ts'
import { texts } from '../lib/language.ts'
import { IconButton } from '../ui/button.tsx'
import { confirm } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Progress } from '../ui/parts.tsx'
import { cancel, clearEnded, count, pause, resume, type Upload, unsent, uploads } from './list.ts'

const t = texts({
  en: {
    title: 'Uploads',
    sending: (rest: number) => (rest === 1 ? '1 file to go' : `${rest} files to go`),
    processingAll: (n: number) => (n === 1 ? '1 file is being processed' : `${n} files are being processed`),
    failedSome: (n: number) => (n === 1 ? '1 file has failed' : `${n} files have failed`),
    allSent: 'All files are done',
    collapse: 'Show less',
    expand: 'Show all uploads',
    clear: 'Clear the list',
    waiting: 'Waiting',
    paused: 'Paused',
    processing: 'Processing',
    done: 'Done',
    failed: 'Failed',
    of: (sent: string, size: string) => `${sent} of ${size}`,
    pause: (title: string) => `Pause ${title}`,
    resume: (title: string) => `Go on with ${title}`,
    retry: (title: string) => `Try ${title} again`,
    cancel: (title: string) => `Cancel ${title}`,
    cancelTitle: 'Cancel this upload?',
    cancelText: 'What has arrived of the file is deleted.',
    cancelYes: 'Cancel the upload',
    progress: (title: string) => `Progress of ${title}`,
    total: 'Progress of all uploads',
  },
  zh: {
    title: '上传',
    sending: (rest: number) => `还有 ${rest} 个文件`,
    processingAll: (n: number) => `${n} 个文件正在处理`,
    failedSome: (n: number) => `${n} 个文件失败`,
    allSent: '全部完成',
    collapse: '收起',
    expand: '展开全部上传',
    clear: '清空列表',
    waiting: '等待中',
    paused: '已暂停',
    processing: '处理中',
    done: '完成',
    failed: '失败',
    of: (sent: string, size: string) => `${sent} / ${size}`,
    pause: (title: string) => `暂停 ${title}`,
    resume: (title: string) => `继续 ${title}`,
    retry: (title: string) => `重试 ${title}`,
    cancel: (title: string) => `取消 ${title}`,
    cancelTitle: '取消这次上传？',
    cancelText: '已送达的部分会被删除。',
    cancelYes: '取消上传',
    progress: (title: string) => `${title} 的进度`,
    total: '全部上传的进度',
  },
})

/** Rows that are rendered at most: what runs comes first. */
const MAX_ROWS = 50
const ORDER = ['sending', 'processing', 'failed', 'paused', 'waiting', 'done'] as const

export function UploadPanel() {
  const open = useSignal(true)
  if (uploads.value.length === 0) return null
  const rows = uploads.value
    .toSorted((a, b) => ORDER.indexOf(a.phase.value) - ORDER.indexOf(b.phase.value))
    .slice(0, MAX_ROWS)
  return (
    <aside class="uploads" aria-label={t.title} data-open={open.value}>
      <div class="uploads-head">
        <Icon name="upload" size={18} />
        <span class="grow" role="status">
          {headline()}
        </span>
        <IconButton
          icon={open.value ? 'minus' : 'plus'}
          small
          kind="plain"
          label={open.value ? t.collapse : t.expand}
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value
          }}
        />
        {unsent.value === 0 && (
          <IconButton icon="close" small kind="plain" label={t.clear} onClick={clearEnded} />
        )}
      </div>
      <Total />
      {open.value && (
        <ul class="uploads-list">
          {rows.map((upload) => (
            <Row key={upload.id} upload={upload} />
          ))}
        </ul>
      )}
    </aside>
  )
}

const headline = () => {
  if (unsent.value > 0) return t.sending(unsent.value)
  const [processing, failed] = [count('processing'), count('failed')]
  if (processing > 0) return t.processingAll(processing)
  return failed > 0 ? t.failedSome(failed) : t.allSent
}

const Total = () => {
  const size = uploads.value.reduce((sum, { file }) => sum + file.size, 0)
  const sent = uploads.value.reduce((sum, { sent }) => sum + sent.value, 0)
  return <Progress value={(sent / Math.max(1, size)) * 100} label={t.total} />
}

function Row({ upload }: { upload: Upload }) {
  const { file, wish, phase, sent, processed, note, page, transfer } = upload
  const now = phase.value
  const end = async () => {
    const asked = now === 'failed' || (await confirm(t.cancelTitle, { text: t.cancelText, yes: t.cancelYes }))
    if (asked) await cancel(upload)
  }
  return (
    <li class="upload-row">
      <div class="row">
        <span class="grow truncate">
          {page.value ? <a href={page.value}>{wish.title}</a> : <span title={file.name}>{wish.title}</span>}
        </span>
        {now === 'done' && <Icon name="check" size={18} />}
        {now === 'sending' && transfer.resumable && (
          <IconButton
            icon="pause"
            small
            kind="plain"
            label={t.pause(wish.title)}
            onClick={() => pause(upload)}
          />
        )}
        {now === 'paused' && (
          <IconButton
            icon="play"
            small
            kind="plain"
            label={t.resume(wish.title)}
            onClick={() => resume(upload)}
          />
        )}
        {now === 'failed' && (
          <IconButton
            icon="retry"
            small
            kind="plain"
            label={t.retry(wish.title)}
            onClick={() => resume(upload)}
          />
        )}
        {now !== 'done' && now !== 'processing' && (
          <IconButton icon="close" small kind="plain" label={t.cancel(wish.title)} onClick={end} />
        )}
      </div>
      {now === 'sending' && (
        <Progress value={(sent.value / Math.max(1, file.size)) * 100} label={t.progress(wish.title)} />
      )}
      {now === 'processing' && <Progress value={processed.value} label={t.progress(wish.title)} />}
      <span class={`small ${now === 'failed' ? 'upload-failed' : 'muted'}`}>
        {note.value ||
          (now === 'sending' ? t.of(bytes(sent.value), bytes(file.size)) : `${t[now]} · ${bytes(file.size)}`)}
      </span>
    </li>
  )
}
