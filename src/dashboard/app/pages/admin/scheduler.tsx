/** The jobs that the server runs by itself at set times. */
import { useEffect } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Badge, Card, Loaded, PageHead } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import { jobName } from './job-names.ts'

const t = texts({
  en: {
    title: 'Scheduler',
    running: 'Running',
    stopped: 'Stopped',
    job: 'Job',
    next: 'Next run',
    paused: 'Paused',
    actions: 'Actions',
    pause: 'Pause',
    resume: 'Resume',
    clean: 'Clean up now',
    cleanTitle: 'Clean up stale records now?',
    cleanText: 'Deletes unfinished uploads and files that nothing refers to, as the scheduled cleanup does.',
    cleaned: 'Cleaned up.',
  },
  zh: {
    title: '定时任务',
    running: '运行中',
    stopped: '已停止',
    job: '任务',
    next: '下次运行',
    paused: '已暂停',
    actions: '操作',
    pause: '暂停',
    resume: '继续',
    clean: '立即清理',
    cleanTitle: '立即清理过期记录？',
    cleanText: '与定时清理相同：删除未完成的上传和无人引用的文件。',
    cleaned: '清理完成。',
  },
})

const RENEWED_MS = 60_000

export default function Scheduler() {
  const view = useView({ load: (signal) => dataOf(api().learning.admin.scheduler.status.get({ signal })) })
  // No event tells that a job has run.
  useEffect(() => {
    const timer = setInterval(view.reload, RENEWED_MS)
    return () => clearInterval(timer)
  }, [])
  const jobs = () => api().learning.admin.scheduler.jobs
  const pause = async (id: string) => {
    await dataOf(jobs()({ job_id: id }).pause.post())
    await view.reload()
  }
  const resume = async (id: string) => {
    await dataOf(jobs()({ job_id: id }).resume.post())
    await view.reload()
  }
  const clean = async () => {
    if (!(await confirm(t.cleanTitle, { text: t.cleanText, yes: t.clean, danger: false }))) return
    await dataOf(api().learning.admin.cleanup.post())
    showToast('good', t.cleaned)
  }
  return (
    <>
      <PageHead title={t.title}>
        {view.data && (
          <Badge tone={view.data.running ? 'good' : 'bad'}>{view.data.running ? t.running : t.stopped}</Badge>
        )}
        <Button onClick={clean}>{t.clean}</Button>
      </PageHead>
      <Card>
        <Loaded view={view} lines={8}>
          {({ jobs: all }) => (
            <Table
              caption={t.title}
              rows={all}
              keyOf={({ id }) => id}
              columns={[
                {
                  title: t.job,
                  cell: ({ id, name }) => <span title={id}>{jobName(name)}</span>,
                },
                {
                  title: t.next,
                  cell: ({ next_run_time }) =>
                    next_run_time ? dateTime(next_run_time) : <Badge tone="warn">{t.paused}</Badge>,
                },
                {
                  title: t.actions,
                  cell: ({ id, next_run_time }) =>
                    next_run_time ? (
                      <Button small icon="pause" onClick={() => pause(id)}>
                        {t.pause}
                      </Button>
                    ) : (
                      <Button small icon="play" onClick={() => resume(id)}>
                        {t.resume}
                      </Button>
                    ),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </>
  )
}
