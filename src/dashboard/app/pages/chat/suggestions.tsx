import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'

const t = texts({
  en: {
    title: 'What can I do for you?',
    about:
      'I look things up and start things for you, with your own permissions. Before I cancel or delete anything I ask.',
    tasks: 'Which of my tasks are running?',
    start: 'Start a test task called “hello”',
    gpus: 'How busy are the GPUs?',
    week: 'What is on my schedule this week?',
    remind: 'Every Friday at 5pm: weekly report, remind me 10 minutes before',
    uploads: 'Show my latest uploads',
  },
  zh: {
    title: '需要我做什么？',
    about: '我以你的权限查询信息、启动任务。取消或删除之前，我会先问你。',
    tasks: '哪些任务正在运行？',
    start: '启动一个名为“hello”的测试任务',
    gpus: 'GPU 现在忙吗？',
    week: '我这周有什么日程？',
    remind: '每周五下午5点写周报，提前10分钟提醒我',
    uploads: '显示我最近上传的资料',
  },
})

/** What a newcomer may ask. A click asks it. */
export const Suggestions = ({ onSend }: { onSend: (text: string) => Promise<void> }) => (
  <div class="suggestions">
    <h2>{t.title}</h2>
    <p class="muted">{t.about}</p>
    <ul>
      {([t.tasks, t.start, t.gpus, t.week, t.remind, t.uploads] as const).map((text) => (
        <li key={text}>
          <Button onClick={() => onSend(text)}>{text}</Button>
        </li>
      ))}
    </ul>
  </div>
)
