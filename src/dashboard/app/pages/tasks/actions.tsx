/** Buttons for what the state of a task allows. */
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import type { IconName } from '../../ui/icon.tsx'
import { isStudy, type Task } from './model.ts'

const t = texts({
  en: {
    start: 'Start',
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel',
    retry: 'Run again',
    delete: 'Delete',
    named: (action: string, title: string) => `${action}: ${title}`,
    cancelTitle: 'Cancel this task?',
    cancelText: (title: string) => `“${title}” stops, and what it has done so far may be lost.`,
    cancelYes: 'Cancel the task',
    deleteTitle: 'Delete this task?',
    deleteText: (title: string) => `“${title}”, its result and its log will be gone.`,
  },
  zh: {
    start: '开始',
    pause: '暂停',
    resume: '继续',
    cancel: '取消',
    retry: '重新运行',
    delete: '删除',
    named: (action: string, title: string) => `${action}：${title}`,
    cancelTitle: '取消此任务？',
    cancelText: (title: string) => `“${title}”将停止，已完成的部分可能会丢失。`,
    cancelYes: '取消任务',
    deleteTitle: '删除此任务？',
    deleteText: (title: string) => `“${title}”及其结果和日志将被删除。`,
  },
})

type Name = 'start' | 'pause' | 'resume' | 'cancel' | 'retry' | 'delete'

const ICONS: Record<Name, IconName> = {
  start: 'play',
  pause: 'pause',
  resume: 'play',
  cancel: 'stop',
  retry: 'retry',
  delete: 'trash',
}

function allowed(task: Task): Name[] {
  const study = isStudy(task)
  switch (task.status) {
    case 'pending':
      return study ? ['start', 'cancel', 'delete'] : ['cancel', 'delete']
    case 'running':
      return study ? ['pause', 'cancel'] : ['cancel']
    case 'paused':
      return ['resume', 'cancel']
    case 'completed':
      return ['delete']
    default:
      return ['retry', 'delete']
  }
}

/** The live channel tells the page what has become of the task. @returns whether it was done */
async function act(name: Name, { id, title, status }: Task): Promise<boolean> {
  const { study, factory } = api()
  switch (name) {
    case 'start':
      await dataOf(study.tasks({ id }).start.post())
      return true
    case 'pause':
      await dataOf(study.tasks({ id }).pause.post())
      return true
    case 'resume':
      await dataOf(study.tasks({ id }).resume.post())
      return true
    case 'retry':
      await dataOf(factory.tasks({ id }).retry.post())
      return true
    case 'cancel': {
      const isSure =
        status === 'pending' ||
        (await confirm(t.cancelTitle, { text: t.cancelText(title), yes: t.cancelYes }))
      if (isSure) await dataOf(factory.tasks({ id }).cancel.post())
      return isSure
    }
    case 'delete': {
      const isSure = await confirm(t.deleteTitle, { text: t.deleteText(title), yes: t.delete })
      if (isSure) await dataOf(factory.tasks({ id }).delete())
      return isSure
    }
  }
}

interface Props {
  task: Task
  /** Icons without texts. */
  compact?: boolean
  onDeleted?: () => void
}

export const TaskActions = ({ task, compact, onDeleted }: Props) => (
  <div class="row task-actions">
    {allowed(task).map((name) => {
      const onClick = async () => {
        if ((await act(name, task)) && name === 'delete') onDeleted?.()
      }
      return compact ? (
        <IconButton
          key={name}
          icon={ICONS[name]}
          kind="plain"
          label={t.named(t[name], task.title)}
          onClick={onClick}
        />
      ) : (
        <Button
          key={name}
          icon={ICONS[name]}
          {...(name === 'delete' && { kind: 'danger' as const })}
          onClick={onClick}
        >
          {t[name]}
        </Button>
      )
    })}
  </div>
)
