/** Where photos are found: the tree of categories, and the tags by how much they are used. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Card, Empty, Loaded } from '../../ui/parts.tsx'
import { type CategoryList, type CategoryNode, categoryOptions, loadCategories } from './categories.ts'
import { listHref } from './filter.ts'
import { PhotosHead } from './photos-head.tsx'
import { TagChip } from './tag-chip.tsx'

const t = texts({
  en: {
    categories: 'Categories',
    noCategories: 'There are no categories yet.',
    newCategory: 'New category',
    name: 'Name',
    below: 'Below',
    top: 'Nothing: at the top',
    create: 'Create',
    tags: 'Tags',
    noTags: 'There are no tags yet. Photos get them when they are uploaded or changed.',
    trending: 'Used much lately',
    photos: (n: number, text: string) => (n === 1 ? '1 photo' : `${text} photos`),
  },
  zh: {
    categories: '分类',
    noCategories: '还没有分类。',
    newCategory: '新建分类',
    name: '名称',
    below: '上级分类',
    top: '无：顶级分类',
    create: '创建',
    tags: '标签',
    noTags: '还没有标签。上传或编辑照片时可以添加。',
    trending: '近期热门',
    photos: (_: number, text: string) => `${text} 张照片`,
  },
})

const loadTags = async () => {
  const { tags } = api().portfolio
  const [cloud, trending] = await Promise.all([
    dataOf(tags.cloud.get({ query: { max_tags: 100 } })),
    dataOf(tags.trending.get({ query: { limit: 8 } })),
  ])
  return { cloud: cloud.data, trending: trending.data }
}

export default function PhotoMap() {
  const categories = useView({
    load: loadCategories,
    on: {
      'category.created': reload,
      'category.updated': reload,
      'category.deleted': reload,
      'photo.created': reload,
      'photo.updated': reload,
      'photo.deleted': reload,
    },
  })
  const tags = useView({
    load: loadTags,
    on: { 'photo.created': reload, 'photo.updated': reload, 'photo.deleted': reload },
  })
  const isAdding = useSignal(false)
  return (
    <>
      <PhotosHead current="map" />
      <div class="photo-map">
        <Card
          title={t.categories}
          actions={
            isAdmin.value && (
              <Button
                small
                icon="plus"
                onClick={() => {
                  isAdding.value = true
                }}
              >
                {t.newCategory}
              </Button>
            )
          }
        >
          <Loaded view={categories}>
            {(list) =>
              list.categories.length === 0 ? (
                <Empty text={t.noCategories} />
              ) : (
                <Branch
                  nodes={list.tree ?? []}
                  colours={new Map(list.categories.map(({ id, color }) => [id, color]))}
                  most={Math.max(1, ...list.categories.map(({ photo_count }) => photo_count))}
                />
              )
            }
          </Loaded>
        </Card>
        <Card title={t.tags}>
          <Loaded view={tags}>
            {({ cloud, trending }) =>
              cloud.length === 0 ? (
                <Empty text={t.noTags} />
              ) : (
                <>
                  <ul class="tag-cloud">
                    {cloud
                      .toSorted((a, b) => a.name.localeCompare(b.name))
                      .map(({ id, name, usage_count, relative_size }) => (
                        <li key={id} style={{ fontSize: `${0.85 + relative_size / 90}rem` }}>
                          <a
                            href={listHref({ tag: name })}
                            title={t.photos(usage_count, count(usage_count))}
                            aria-label={`${name}: ${t.photos(usage_count, count(usage_count))}`}
                          >
                            {name}
                          </a>
                        </li>
                      ))}
                  </ul>
                  {trending.length > 0 && (
                    <div class="stack-tight">
                      <h3>{t.trending}</h3>
                      <ul class="chips">
                        {trending.map((tag) => (
                          <li key={tag.id}>
                            <TagChip {...tag} />
                          </li>
                        ))}
                      </ul>
                    </div>
                  )}
                </>
              )
            }
          </Loaded>
        </Card>
      </div>
      {isAdding.value && (
        <NewCategory
          list={categories.data}
          onClose={() => {
            isAdding.value = false
          }}
        />
      )}
    </>
  )
}

/** Categories of one level, each with a bar for its photos and with those below it. */
const Branch = ({
  nodes,
  colours,
  most,
}: {
  nodes: readonly CategoryNode[]
  colours: ReadonlyMap<number, string>
  most: number
}) => (
  <ul class="category-branch">
    {nodes.map(({ id, name, photo_count, children }) => (
      <li key={id}>
        <a class="category-link" href={listHref({ category: String(id) })}>
          <span
            class="category-bar"
            style={{
              width: `${(photo_count / most) * 100}%`,
              ...(colours.get(id) && { background: colours.get(id)! }),
            }}
          />
          <span class="grow truncate">{name}</span>
          <span class="muted number">{count(photo_count)}</span>
        </a>
        {children.length > 0 && <Branch nodes={children} colours={colours} most={most} />}
      </li>
    ))}
  </ul>
)

const NewCategory = ({ list, onClose }: { list: CategoryList | undefined; onClose: () => void }) => (
  <Dialog title={t.newCategory} onClose={onClose}>
    <Form
      submit={t.create}
      onSubmit={async ({ name = '', parent }) => {
        await dataOf(api().portfolio.categories.post({ name, ...(parent && { parent_id: Number(parent) }) }))
        onClose()
      }}
    >
      {(errors) => (
        <>
          <TextField label={t.name} name="name" required maxLength={100} error={errors.name} />
          <Select
            label={t.below}
            name="parent"
            options={[['', t.top], ...(list ? categoryOptions(list) : [])]}
          />
        </>
      )}
    </Form>
  </Dialog>
)
