/** One material: its player or document, likes, and what its uploader may do with it. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { bytes, count, dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, navigate } from '../../lib/router.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Badge, Card, Facts, Loaded, PageHead } from '../../ui/parts.tsx'
import { UploadChooser } from '../../uploads/chooser.tsx'
import type { PageProps } from '../index.ts'
import { Numbers, Thumbnail } from './material-card.tsx'

const t = texts({
  en: {
    loading: 'Material',
    back: 'All materials',
    video: 'Video',
    pdf: 'PDF',
    player: (title: string) => `Video: ${title}`,
    open: 'Open the PDF',
    download: 'Download',
    like: 'Like',
    unlike: 'Liked',
    likes: (n: number, text: string) => (n === 1 ? '1 like' : `${text} likes`),
    delete: 'Delete',
    deleteTitle: 'Delete this material?',
    hide: 'Hide it',
    hideText: 'Nobody sees it any more. The server keeps the file for 30 days, for you and administrators.',
    remove: 'Delete the file at once',
    removeText: 'Nobody sees it any more, and the file is gone for good.',
    hidden: 'The material is deleted.',
    about: 'About this material',
    description: 'Description',
    views: 'Views',
    by: 'Uploaded by',
    at: 'Uploaded',
    file: 'File',
    preview: 'Preview',
    noPreview: 'The server has made none so far.',
    related: 'More of this kind',
    cannotPlay: 'This browser cannot play the video. Download it instead.',
  },
  zh: {
    loading: '资料',
    back: '全部资料',
    video: '视频',
    pdf: 'PDF',
    player: (title: string) => `视频：${title}`,
    open: '打开 PDF',
    download: '下载',
    like: '点赞',
    unlike: '已赞',
    likes: (_: number, text: string) => `${text} 个赞`,
    delete: '删除',
    deleteTitle: '删除这个资料？',
    hide: '隐藏',
    hideText: '其他人将看不到它。服务器会为你和管理员保留文件 30 天。',
    remove: '立即删除文件',
    removeText: '其他人将看不到它，文件将永久删除。',
    hidden: '资料已删除。',
    about: '资料信息',
    description: '说明',
    views: '浏览量',
    by: '上传者',
    at: '上传时间',
    file: '文件',
    preview: '预览',
    noPreview: '服务器尚未生成预览。',
    related: '更多同类资料',
    cannotPlay: '此浏览器无法播放该视频，请下载观看。',
  },
})

const materials = () => api().learning.materials
const loadMaterial = (id: string, signal?: AbortSignal) =>
  dataOf(materials()({ material_id: id }).get({ ...(signal && { signal }) }))
type MaterialDetail = Awaited<ReturnType<typeof loadMaterial>>

export default function MaterialPage({ params }: PageProps) {
  const id = params.id!
  const leave = () => navigate(href('/materials'), { replace: true, from: `/materials/${id}` })
  // Each fetch counts as a view, so events are applied to what is shown.
  const view = useView({
    key: id,
    load: (signal) => loadMaterial(id, signal),
    on: {
      'thumbnail.completed': ({ data }, material) =>
        data.material_id === material.id
          ? {
              ...material,
              thumbnail_path: data.thumbnail_path,
              thumbnail_url: `/files/${data.thumbnail_path}`,
            }
          : material,
      'material.hidden': ({ data }, material) => {
        if (data.material_id === material.id) leave()
        return material
      },
      'material.removed': ({ data }, material) => {
        if (data.material_id === material.id) leave()
        return material
      },
    },
  })
  return (
    <>
      <PageHead title={view.data?.title ?? t.loading} back={{ to: href('/materials'), text: t.back }}>
        <UploadChooser button={false} />
      </PageHead>
      <Loaded view={view} lines={10}>
        {(material) => (
          <>
            {material.type === 'video' ? (
              <Player key={material.id} material={material} />
            ) : (
              <a class="material-open" href={material.file_url} target="_blank" rel="noreferrer">
                <Thumbnail material={material} />
                <span class="button primary">
                  <Icon name="link" size={18} /> {t.open}
                </span>
              </a>
            )}
            <Actions
              material={material}
              onLike={(is_liked, like_count) => view.update((old) => ({ ...old, is_liked, like_count }))}
              onDeleted={leave}
            />
            <Card title={t.about}>
              <About material={material} />
            </Card>
            {material.related_materials.length > 0 && <Related material={material} />}
          </>
        )}
      </Loaded>
    </>
  )
}

function Player({ material: { file_url, thumbnail_url, title } }: { material: MaterialDetail }) {
  const failed = useSignal(false)
  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: the server keeps no captions */}
      <video
        class="material-video"
        controls
        playsInline
        preload="metadata"
        src={file_url}
        poster={thumbnail_url ?? undefined}
        aria-label={t.player(title)}
        onError={() => {
          failed.value = true
        }}
      />
      {failed.value && (
        <p class="notice warn" role="alert">
          {t.cannotPlay}
        </p>
      )}
    </>
  )
}

function Actions({
  material,
  onLike,
  onDeleted,
}: {
  material: MaterialDetail
  onLike: (isLiked: boolean, likes: number) => void
  onDeleted: () => void
}) {
  const isDeleting = useSignal(false)
  const isOwn = useIsOwn(material)
  const { id, is_liked, like_count, file_url } = material
  const like = async () => {
    const answer = await dataOf(materials()({ material_id: id }).like.post())
    onLike(answer.is_liked, answer.like_count)
  }
  const end = (call: () => Promise<unknown>) => async () => {
    await call()
    showToast('good', t.hidden)
    onDeleted()
  }
  return (
    <div class="row">
      <Button icon="heart" {...(is_liked && { kind: 'primary' })} aria-pressed={is_liked} onClick={like}>
        {is_liked ? t.unlike : t.like}
        <span class="number" title={t.likes(like_count, count(like_count))}>
          {count(like_count)}
        </span>
      </Button>
      <a class="button" href={file_url} download target="_blank" rel="noreferrer">
        <Icon name="download" size={18} />
        {t.download}
      </a>
      <span class="grow" />
      {(isOwn || isAdmin.value) && (
        <Button
          kind="danger"
          icon="trash"
          onClick={() => {
            isDeleting.value = true
          }}
        >
          {t.delete}
        </Button>
      )}
      {isDeleting.value && (
        <Dialog
          title={t.deleteTitle}
          onClose={() => {
            isDeleting.value = false
          }}
        >
          <p>{t.hideText}</p>
          <Button onClick={end(() => dataOf(materials()({ material_id: id }).delete()))}>{t.hide}</Button>
          <p>{t.removeText}</p>
          <Button
            kind="danger"
            onClick={end(() => dataOf(api().learning.upload({ material_id: id }).delete()))}
          >
            {t.remove}
          </Button>
        </Dialog>
      )}
    </div>
  )
}

/** Whether the user has uploaded it: materials have numbers of users, which only the learning contract tells. */
function useIsOwn({ uploader_id }: MaterialDetail): boolean {
  const own = useSignal<number | undefined>(undefined)
  useEffect(() => {
    api()
      .learning.auth.me.get()
      .then(({ data }) => {
        own.value = data?.id
      })
  }, [])
  return own.value === uploader_id
}

const About = ({ material }: { material: MaterialDetail }) => (
  <Facts
    facts={[
      ...(material.description
        ? [[t.description, <span class="pre-line">{material.description}</span>] as const]
        : []),
      [t.views, count(material.view_count)],
      [t.by, material.uploader_name],
      [t.at, <time dateTime={material.created_at}>{dateTime(material.created_at)}</time>],
      [t.file, `${t[material.type]} · ${material.file_format} · ${bytes(material.file_size)}`],
      ...(material.thumbnail_path === null
        ? [[t.preview, <Badge tone="info">{t.noPreview}</Badge>] as const]
        : []),
    ]}
  />
)

const Related = ({ material }: { material: MaterialDetail }) => (
  <section class="stack">
    <h2>{t.related}</h2>
    <ul class="material-grid">
      {material.related_materials.map((other) => (
        <li key={other.id}>
          <a class="material-card" href={href(`/materials/${other.id}`)}>
            <Thumbnail
              material={{
                type: other.type,
                thumbnail_url: other.thumbnail_path === null ? null : `/files/${other.thumbnail_path}`,
              }}
            />
            <span class="material-about">
              <strong class="truncate">{other.title}</strong>
              <span class="row small muted number">
                <Numbers material={other} />
              </span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  </section>
)
