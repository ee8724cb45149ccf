import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { count, percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, navigate, route } from '../../lib/router.ts'
import { api, isEditor } from '../../lib/session.ts'
import { showError } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Checkbox, FilterInput, NumberField, Select, TextField } from '../../ui/field.tsx'
import { Form, NOT_SENT, type Values } from '../../ui/form.tsx'
import { Card, Empty, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    about:
      'A study task plays the items of its courses one after the other, and records what you have done. It is free.',
    title: 'Title',
    courses: 'Courses',
    search: 'Search courses',
    chosen: (n: string) => `${n} chosen`,
    more: (n: string) => `${n} more. Search to find them.`,
    noCourses: 'There are no courses yet.',
    editorsMake: 'Editors make courses of learning materials.',
    makeOne: 'Make a course',
    none: 'Choose at least one course.',
    noneFound: 'No course has this in its name.',
    how: 'How you study',
    howHint: 'These settings hold for all your study tasks.',
    speed: 'Speed',
    notOpen: 'When an item is not open yet',
    retry: 'Wait and try again',
    skip: 'Go on with the next one',
    stop: 'Stop the task',
    start: 'Start at once',
    create: 'Create the task',
  },
  zh: {
    about: '学习任务会依次播放课程内容并记录进度，完全免费。',
    title: '标题',
    courses: '课程',
    search: '搜索课程',
    chosen: (n: string) => `已选 ${n} 门`,
    more: (n: string) => `还有 ${n} 门，请搜索查找。`,
    noCourses: '还没有课程。',
    editorsMake: '编辑者可以用学习资料创建课程。',
    makeOne: '创建课程',
    none: '请至少选择一门课程。',
    noneFound: '没有名称匹配的课程。',
    how: '学习方式',
    howHint: '这些设置适用于你的所有学习任务。',
    speed: '倍速',
    notOpen: '内容尚未开放时',
    retry: '等待并重试',
    skip: '跳过，继续下一个',
    stop: '停止任务',
    start: '立即开始',
    create: '创建任务',
  },
})

interface Course {
  courseId: string
  courseName: string
  teacherName: string
  progress: number
}
interface Settings {
  speed: number
  notopen_action: 'retry' | 'skip' | 'stop'
}

/** Courses that the form shows at a time. */
const SHOWN = 100

export function NewStudyTask() {
  const view = useView<{ courses: Course[]; settings: Settings }>({
    load: async (signal) => {
      const { study } = api()
      const [courses, settings] = await Promise.all([
        dataOf(study.courses.list.get({ signal })),
        dataOf(study.user.config.get({ signal })),
      ])
      return { courses, settings }
    },
  })
  return (
    <Card>
      <Loaded view={view} lines={8}>
        {({ courses, settings }) =>
          courses.length > 0 ? (
            <StudyForm courses={courses} settings={settings} />
          ) : (
            <Empty text={`${t.noCourses} ${isEditor.value ? '' : t.editorsMake}`}>
              {isEditor.value && <ButtonLink to={href('/courses')}>{t.makeOne}</ButtonLink>}
            </Empty>
          )
        }
      </Loaded>
    </Card>
  )
}

function StudyForm({ courses, settings }: { courses: Course[]; settings: Settings }) {
  const chosen = useSignal<ReadonlySet<string>>(new Set(route.value.query.getAll('course')))
  const isMissing = useSignal(false)

  const create = async (values: Values) => {
    isMissing.value = chosen.value.size === 0
    if (isMissing.value) return NOT_SENT
    const { study, factory } = api()
    const speed = Number(values.speed)
    const notopen_action = values.notopen_action as Settings['notopen_action']
    if (speed !== settings.speed || notopen_action !== settings.notopen_action) {
      await dataOf(study.user.config.put({ speed, notopen_action }))
    }
    const { data } = await dataOf(factory.tasks.post({ title: values.title!, course_ids: [...chosen.value] }))
    // The task is there, so its page tells of a start that failed, and offers another.
    if (values.start) await dataOf(study.tasks({ id: data.id }).start.post()).catch(showError)
    navigate(href(`/tasks/${data.id}`), { from: '/tasks/new' })
  }

  return (
    <Form submit={t.create} onSubmit={create}>
      {(errors) => (
        <>
          <p class="muted">{t.about}</p>
          <TextField
            label={t.title}
            name="title"
            required
            maxLength={255}
            error={errors.title ?? errors.name}
          />
          <Courses courses={courses} chosen={chosen} />
          {isMissing.value && chosen.value.size === 0 && (
            <p class="notice bad" role="alert">
              {t.none}
            </p>
          )}
          <fieldset class="stack">
            <legend>{t.how}</legend>
            <p class="small muted">{t.howHint}</p>
            <div class="fields">
              <NumberField
                label={t.speed}
                name="speed"
                min={0.1}
                max={100}
                step="any"
                required
                defaultValue={settings.speed}
                error={errors.speed}
              />
              <Select
                label={t.notOpen}
                name="notopen_action"
                defaultValue={settings.notopen_action}
                options={(['retry', 'skip', 'stop'] as const).map((one) => [one, t[one]] as const)}
              />
            </div>
          </fieldset>
          <Checkbox label={t.start} name="start" defaultChecked />
        </>
      )}
    </Form>
  )
}

function Courses({ courses, chosen }: { courses: Course[]; chosen: { value: ReadonlySet<string> } }) {
  const search = useSignal('')
  const wanted = search.value.trim().toLowerCase()
  const found = courses.filter(({ courseName, teacherName }) =>
    `${courseName} ${teacherName}`.toLowerCase().includes(wanted),
  )
  const toggle = (id: string) => {
    const next = new Set(chosen.value)
    if (!next.delete(id)) next.add(id)
    chosen.value = next
  }
  return (
    <fieldset class="stack-tight">
      <legend>
        {t.courses} <span class="small muted">{t.chosen(count(chosen.value.size))}</span>
      </legend>
      <FilterInput label={t.search} value={search} />
      <div class="course-choices">
        {found.slice(0, SHOWN).map(({ courseId, courseName, teacherName, progress }) => (
          <Checkbox
            key={courseId}
            checked={chosen.value.has(courseId)}
            onChange={() => toggle(courseId)}
            label={
              <>
                {courseName}{' '}
                <span class="small muted">
                  {teacherName} {percent(progress)}
                </span>
              </>
            }
          />
        ))}
        {found.length === 0 && <p class="muted">{t.noneFound}</p>}
        {found.length > SHOWN && <p class="muted small">{t.more(count(found.length - SHOWN))}</p>}
      </div>
    </fieldset>
  )
}
