/** Asks what is to become of the chosen files. */

import { corner } from '../lib/corner.ts'
import { bytes } from '../lib/format.ts'
import { texts } from '../lib/language.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Select, TextArea, TextField } from '../ui/field.tsx'
import { Form, type Values } from '../ui/form.tsx'
import type { Checked } from './limits.ts'
import { addUploads, type Wish } from './list.ts'
import { UploadPanel } from './panel.tsx'
import { tagNames } from './tag-names.ts'

const t = texts({
  en: {
    title: (count: number) => (count === 1 ? 'Upload a file' : `Upload ${count} files`),
    nothing: 'Nothing to upload',
    submit: 'Upload',
    cancel: 'Cancel',
    close: 'Close',
    photos: (count: number) => (count === 1 ? '1 photo' : `${count} photos`),
    materials: (count: number) => (count === 1 ? '1 video or PDF' : `${count} videos and PDFs`),
    refused: (count: number) => (count === 1 ? '1 file is left out' : `${count} files are left out`),
    state: 'Who sees the photos',
    everybody: 'Everybody: publish at once',
    draft: 'Only you for now: keep as a draft',
    private: 'Only you: private',
    tags: 'Tags',
    tagsHint: 'With commas between them. Optional.',
    name: 'Title',
    description: 'Description',
    optional: 'Optional',
    titles: 'Titles are made of the file names. Those of photos can be changed later.',
    openToAll: 'Everybody can see and play videos and PDFs.',
  },
  zh: {
    title: (count: number) => (count === 1 ? '上传文件' : `上传 ${count} 个文件`),
    nothing: '没有可上传的文件',
    submit: '上传',
    cancel: '取消',
    close: '关闭',
    photos: (count: number) => `${count} 张照片`,
    materials: (count: number) => `${count} 个视频或 PDF`,
    refused: (count: number) => `${count} 个文件无法上传`,
    state: '谁可以看到照片',
    everybody: '所有人：立即发布',
    draft: '暂时仅自己：保存为草稿',
    private: '仅自己：私密',
    tags: '标签',
    tagsHint: '用逗号分隔，选填。',
    name: '标题',
    description: '说明',
    optional: '选填',
    titles: '标题取自文件名，照片的标题之后可以修改。',
    openToAll: '所有人都可以查看和播放视频与 PDF。',
  },
})

type Taken = Extract<Checked, { kind: unknown }>
type Refused = Extract<Checked, { problem: unknown }>

export function UploadDialog({
  files,
  publishes,
  onClose,
}: {
  files: readonly Checked[]
  publishes: boolean
  onClose: () => void
}) {
  const taken = files.filter((one): one is Taken => 'kind' in one)
  const refused = files.filter((one): one is Refused => 'problem' in one)
  const photos = taken.filter(({ kind }) => kind === 'photo')
  const materials = taken.filter(({ kind }) => kind === 'material')
  const one = taken.length === 1
  return (
    <Dialog title={taken.length > 0 ? t.title(taken.length) : t.nothing} onClose={onClose}>
      {refused.length > 0 && <Refusals refused={refused} />}
      {taken.length === 0 ? (
        <div class="dialog-actions">
          <Button onClick={onClose}>{t.close}</Button>
        </div>
      ) : (
        <Form
          submit={t.submit}
          icon="upload"
          onSubmit={async (values) => {
            corner.value = UploadPanel
            addUploads(taken.map(({ file, kind }) => ({ file, wish: wishOf(file, kind, values) })))
            onClose()
          }}
          actions={<Button onClick={onClose}>{t.cancel}</Button>}
        >
          {() => (
            <>
              <p class="muted">
                {[
                  photos.length > 0 && t.photos(photos.length),
                  materials.length > 0 && t.materials(materials.length),
                  bytes(taken.reduce((sum, { file }) => sum + file.size, 0)),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </p>
              {one && (
                <TextField
                  label={t.name}
                  name="title"
                  required
                  maxLength={200}
                  defaultValue={titleOf(taken[0]!.file)}
                />
              )}
              {!one && <p class="small muted">{t.titles}</p>}
              {photos.length > 0 && (
                <>
                  <Select
                    label={t.state}
                    name="state"
                    defaultValue={publishes ? 'published' : 'draft'}
                    options={[
                      ['published', t.everybody],
                      ['draft', t.draft],
                      ['private', t.private],
                    ]}
                  />
                  <TextField label={t.tags} name="tags" hint={t.tagsHint} maxLength={1000} />
                </>
              )}
              {materials.length > 0 && (
                <>
                  {one && (
                    <TextArea label={t.description} name="description" hint={t.optional} maxLength={5000} />
                  )}
                  <p class="small muted">{t.openToAll}</p>
                </>
              )}
            </>
          )}
        </Form>
      )}
    </Dialog>
  )
}

const Refusals = ({ refused }: { refused: readonly Refused[] }) => (
  <div class="notice warn" role="alert">
    <div class="stack-tight">
      <strong>{t.refused(refused.length)}</strong>
      <ul class="refusals small">
        {refused.map(({ file, problem }, index) => (
          <li key={index}>
            <strong>{file.name}</strong>: {problem}
          </li>
        ))}
      </ul>
    </div>
  </div>
)

/** The name without its extension, with words in place of underscores. */
const titleOf = (file: File): string =>
  file.name
    .replace(/\.[^.]+$/, '')
    .replaceAll(/[_\s]+/g, ' ')
    .trim()
    .slice(0, 200) || file.name

function wishOf(file: File, kind: Taken['kind'], values: Values): Wish {
  const { title = titleOf(file), description = '', state = 'draft', tags = '' } = values
  if (kind === 'material') return { kind, title, description }
  return {
    kind,
    title,
    status: state === 'draft' ? 'draft' : 'published',
    visibility: state === 'private' ? 'private' : 'public',
    tags: tagNames(tags),
  }
}
