/** Courses, which study tasks play. Editors make them of learning materials. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api, isEditor } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Button, ButtonLink, IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Empty, Loaded, PageHead, Progress } from '../../ui/parts.tsx'
import { CourseDialog } from './course-dialog.tsx'

const t = texts({
  en: {
    title: 'Courses',
    create: 'New course',
    study: 'Study',
    edit: 'Edit',
    delete: 'Delete',
    named: (action: string, name: string) => `${action}: ${name}`,
    progressOf: (name: string) => `What you have studied of “${name}”`,
    none: 'There are no courses yet. Editors make them of learning materials.',
    noneForEditor: 'There are no courses yet. Make the first one of learning materials.',
    deleteTitle: 'Delete this course?',
    deleteText: (name: string) => `“${name}” will be gone. Its materials stay.`,
  },
  zh: {
    title: '课程',
    create: '新建课程',
    study: '学习',
    edit: '编辑',
    delete: '删除',
    named: (action: string, name: string) => `${action}：${name}`,
    progressOf: (name: string) => `“${name}”的学习进度`,
    none: '还没有课程。编辑者可以用学习资料创建课程。',
    noneForEditor: '还没有课程，用学习资料创建第一门课程吧。',
    deleteTitle: '删除此课程？',
    deleteText: (name: string) => `“${name}”将被删除，其中的资料会保留。`,
  },
})

interface Course {
  courseId: string
  courseName: string
  teacherName: string
  progress: number
}

export default function Courses() {
  const view = useView<Course[]>({
    load: (signal) => dataOf(api().study.courses.list.get({ signal })),
    // What the learner has studied is recorded when a task ends or pauses.
    on: { 'task.completed': reload, 'task.paused': reload, 'task.cancelled': reload },
  })
  /** The id of the course that is edited; empty for a new one. */
  const edited = useSignal<string | undefined>(undefined)
  const open = (id: string) => () => {
    edited.value = id
  }
  const remove = async ({ courseId, courseName }: Course) => {
    if (!(await confirm(t.deleteTitle, { text: t.deleteText(courseName), yes: t.delete }))) return
    await dataOf(api().study.courses({ id: courseId }).delete())
    view.update((courses) => courses.filter((one) => one.courseId !== courseId))
  }
  return (
    <>
      <PageHead title={t.title}>
        {isEditor.value && (
          <Button kind="primary" icon="plus" onClick={open('')}>
            {t.create}
          </Button>
        )}
      </PageHead>
      <Loaded view={view} lines={6}>
        {(courses) =>
          courses.length === 0 ? (
            <Empty text={isEditor.value ? t.noneForEditor : t.none} />
          ) : (
            <ul class="task-list" aria-label={t.title}>
              {courses.map((course) => (
                <CourseRow
                  key={course.courseId}
                  course={course}
                  onEdit={open(course.courseId)}
                  onDelete={() => remove(course)}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {edited.value !== undefined && (
        <CourseDialog
          id={edited.value}
          onClose={(isSaved) => {
            edited.value = undefined
            if (isSaved) void view.reload()
          }}
        />
      )}
    </>
  )
}

interface RowProps {
  course: Course
  onEdit: () => void
  onDelete: () => Promise<void>
}

const CourseRow = ({ course, onEdit, onDelete }: RowProps) => (
  <li class="task-row course-row">
    <div class="task-name">
      <strong class="truncate">{course.courseName}</strong>
      <span class="small muted truncate">{course.teacherName}</span>
    </div>
    <div class="task-progress">
      <Progress value={course.progress} label={t.progressOf(course.courseName)} />
      <span class="number small">{percent(course.progress)}</span>
    </div>
    <div class="row task-actions">
      <ButtonLink small icon="play" to={href('/tasks/new', { kind: 'study', course: course.courseId })}>
        {t.study}
      </ButtonLink>
      {isEditor.value && (
        <>
          <IconButton icon="edit" kind="plain" label={t.named(t.edit, course.courseName)} onClick={onEdit} />
          <IconButton
            icon="trash"
            kind="plain"
            label={t.named(t.delete, course.courseName)}
            onClick={onDelete}
          />
        </>
      )}
    </div>
  </li>
)
