import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { isAdmin, isEditor } from '../../lib/session.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Card } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'What to do first',
    server: 'Connect a GPU server',
    serverText: 'Create it here, then start the node program on its machine.',
    task: 'Start a task',
    taskText: 'The type “test” is free. Watch it run, with its progress and its log.',
    material: 'Upload a video or PDF',
    materialText: 'Drop it onto the page. Courses are made of materials.',
    photo: 'Add photos',
    photoText: 'They are sorted by time and place, and you can search them.',
    chat: 'Ask the agent',
    chatText: 'It plans your week, and finds photos and tasks.',
  },
  zh: {
    title: '从这里开始',
    server: '连接 GPU 服务器',
    serverText: '在这里新建，然后在其机器上启动节点程序。',
    task: '启动一个任务',
    taskText: '“test”类型免费，可实时查看进度和日志。',
    material: '上传视频或 PDF',
    materialText: '拖到页面上即可。课程由资料组成。',
    photo: '添加照片',
    photoText: '照片按时间和地点整理，并支持搜索。',
    chat: '询问助手',
    chatText: '它能安排日程，查找照片和任务。',
  },
})

type Step = 'server' | 'task' | 'material' | 'photo' | 'chat'

const STEPS: readonly {
  name: Step
  icon: IconName
  to: string
}[] = [
  { name: 'server', icon: 'gpu', to: '/gpu' },
  { name: 'task', icon: 'tasks', to: '/tasks/new' },
  { name: 'material', icon: 'materials', to: '/materials' },
  { name: 'photo', icon: 'photos', to: '/photos' },
  { name: 'chat', icon: 'chat', to: '/chat' },
]

export const FirstSteps = () => {
  const may: Partial<Record<Step, boolean>> = { server: isAdmin.value, photo: isEditor.value }
  return (
    <Card title={t.title}>
      <ul class="steps">
        {STEPS.filter(({ name }) => may[name] !== false).map(({ name, icon, to }) => (
          <li key={name}>
            <a class="step" href={href(to)}>
              <Icon name={icon} size={24} />
              <strong>{t[name]}</strong>
              <span class="small muted">{t[`${name}Text`]}</span>
            </a>
          </li>
        ))}
      </ul>
    </Card>
  )
}
