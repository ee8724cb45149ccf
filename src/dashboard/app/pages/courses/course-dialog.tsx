import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { FilterInput, TextField } from '../../ui/field.tsx'
import { Form, NOT_SENT, type Values } from '../../ui/form.tsx'
import { Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    create: 'New course',
    edit: 'Edit the course',
    name: 'Name',
    teacher: 'Teacher',
    optional: 'Optional',
    save: 'Save',
    items: 'Materials, in the order in which they are studied',
    noItems: 'Add at least one material.',
    add: 'Add materials',
    search: 'Search materials',
    noneFound: 'No material has this in its title.',
    noMaterials: 'There are no materials yet. Upload some first.',
    loadMore: 'Load more materials',
    up: (title: string) => `Move up: ${title}`,
    down: (title: string) => `Move down: ${title}`,
    remove: (title: string) => `Remove: ${title}`,
    allAdded: 'All of them are in the course.',
  },
  zh: {
    create: '新建课程',
    edit: '编辑课程',
    name: '名称',
    teacher: '教师',
    optional: '选填',
    save: '保存',
    items: '资料（按学习顺序排列）',
    noItems: '请至少添加一份资料。',
    add: '添加资料',
    search: '搜索资料',
    noneFound: '没有标题匹配的资料。',
    noMaterials: '还没有资料，请先上传。',
    loadMore: '加载更多资料',
    up: (title: string) => `上移：${title}`,
    down: (title: string) => `下移：${title}`,
    remove: (title: string) => `移除：${title}`,
    allAdded: '已全部加入课程。',
  },
})

interface Item {
  id: number
  title: string
}
interface Course {
  name: string
  teacher: string
  items: readonly Item[]
}

const NEW: Course = { name: '', teacher: '', items: [] }

const idOf = ({ id }: Item): number => id

/** Items of a course are materials, so the id of an item is that of its material. */
async function loadCourse(id: string, signal: AbortSignal): Promise<Course> {
  const course = await dataOf(api().study.courses({ id }).get({ signal }))
  return {
    name: course.courseName,
    teacher: course.teacherName,
    items: course.items.map(({ itemId, itemName }) => ({ id: Number(itemId), title: itemName })),
  }
}

/** @param id of the course; empty for a new one */
export function CourseDialog({ id, onClose }: { id: string; onClose: (isSaved: boolean) => void }) {
  const view = useView<Course>({ load: async (signal) => (id ? loadCourse(id, signal) : NEW) })
  return (
    <Dialog title={id ? t.edit : t.create} wide onClose={() => onClose(false)}>
      <Loaded view={view}>
        {(course) => <CourseForm id={id} course={course} onSaved={() => onClose(true)} />}
      </Loaded>
    </Dialog>
  )
}

function CourseForm({ id, course, onSaved }: { id: string; course: Course; onSaved: () => void }) {
  const first = useMemo(() => course, [])
  const items = useSignal(first.items)
  const isMissing = useSignal(false)
  const save = async ({ courseName = '', teacherName = '' }: Values) => {
    isMissing.value = items.value.length === 0
    if (isMissing.value) return NOT_SENT
    const body = { courseName, teacherName, material_ids: items.value.map(idOf) }
    const before = { courseName: first.name, teacherName: first.teacher, material_ids: first.items.map(idOf) }
    const { courses } = api().study
    await dataOf(id ? courses({ id }).put(changed(body, before)) : courses.post(body))
    onSaved()
  }
  return (
    <Form submit={t.save} onSubmit={save} isChanged={items.value !== first.items}>
      {(errors) => (
        <>
          <div class="fields">
            <TextField
              label={t.name}
              name="courseName"
              required
              maxLength={200}
              defaultValue={first.name}
              error={errors.courseName}
            />
            <TextField
              label={t.teacher}
              hint={t.optional}
              name="teacherName"
              maxLength={100}
              defaultValue={first.teacher}
              error={errors.teacherName}
            />
          </div>
          <Chosen items={items} />
          {isMissing.value && items.value.length === 0 && (
            <p class="notice bad" role="alert">
              {t.noItems}
            </p>
          )}
          <Materials
            chosen={items.value}
            onAdd={(item) => {
              items.value = [...items.value, item]
            }}
          />
        </>
      )}
    </Form>
  )
}

function Chosen({ items }: { items: { value: readonly Item[] } }) {
  const move = (index: number, by: number) => {
    const next = [...items.value]
    const [item] = next.splice(index, 1)
    next.splice(index + by, 0, item!)
    items.value = next
  }
  const last = items.value.length - 1
  return (
    <section class="stack-tight" aria-label={t.items}>
      <h3>
        {t.items} <span class="small muted">{count(items.value.length)}</span>
      </h3>
      <ol class="course-items">
        {items.value.map(({ id, title }, index) => (
          <li key={id} class="row">
            <span class="grow truncate">{title}</span>
            <IconButton
              icon="up"
              kind="plain"
              small
              label={t.up(title)}
              disabled={index === 0}
              onClick={() => move(index, -1)}
            />
            <IconButton
              icon="down"
              kind="plain"
              small
              label={t.down(title)}
              disabled={index === last}
              onClick={() => move(index, 1)}
            />
            <IconButton
              icon="close"
              kind="plain"
              small
              label={t.remove(title)}
              onClick={() => {
                items.value = items.value.filter((item) => item.id !== id)
              }}
            />
          </li>
        ))}
      </ol>
    </section>
  )
}

const PAGE_SIZE = 100

function Materials({ chosen, onAdd }: { chosen: readonly Item[]; onAdd: (item: Item) => void }) {
  const search = useSignal('')
  const page = async (number: number, signal?: AbortSignal) => {
    const query = { page: number, page_size: PAGE_SIZE }
    const { items, total_pages } = await dataOf(
      api().learning.materials.get({ query, ...(signal && { signal }) }),
    )
    return { items: items.map(({ id, title }) => ({ id, title })), page: number, pages: total_pages }
  }
  const view = useView<{ items: Item[]; page: number; pages: number }>({ load: (signal) => page(1, signal) })
  const wanted = search.value.trim().toLowerCase()
  const isFree = ({ id, title }: Item) =>
    !chosen.some((one) => one.id === id) && title.toLowerCase().includes(wanted)
  return (
    <section class="stack-tight" aria-label={t.add}>
      <h3>{t.add}</h3>
      <FilterInput label={t.search} value={search} />
      <Loaded view={view} lines={3}>
        {(data) => {
          const free = data.items.filter(isFree)
          return (
            <ul class="course-items">
              {free.map((item) => (
                <li key={item.id} class="row">
                  <Button small icon="plus" kind="plain" onClick={() => onAdd(item)}>
                    {item.title}
                  </Button>
                </li>
              ))}
              {free.length === 0 && data.page >= data.pages && (
                <li class="muted small">
                  {data.items.length === 0 ? t.noMaterials : wanted ? t.noneFound : t.allAdded}
                </li>
              )}
              {data.page < data.pages && (
                <li>
                  <Button
                    small
                    onClick={async () => {
                      const next = await page(data.page + 1)
                      view.update(({ items }) => ({ ...next, items: [...items, ...next.items] }))
                    }}
                  >
                    {t.loadMore}
                  </Button>
                </li>
              )}
            </ul>
          )
        }}
      </Loaded>
    </section>
  )
}
