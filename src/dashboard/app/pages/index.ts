/** Every page: its address, its title in the menu, and its code, which the browser fetches when the page is opened. */
import type { ComponentType } from 'preact'
import { texts } from '../lib/language.ts'
import type { IconName } from '../ui/icon.tsx'
import { ADMIN_PAGES } from './admin/index.ts'

export interface PageProps {
  params: Record<string, string>
}

export interface Page {
  path: string
  /** Pages of one name are one component, which stays while the address changes between them. Others are made anew. */
  stays?: string
  load: () => Promise<{ default: ComponentType<PageProps> }>
  /** In the menu: its text, and the group that it belongs to. Pages without it are reached from others. */
  menu?: { text: () => string; icon: IconName; group: 'work' | 'account' | 'administration' }
}

const t = texts({
  en: {
    home: 'Overview',
    tasks: 'Tasks',
    gpu: 'GPU cluster',
    courses: 'Courses',
    materials: 'Materials',
    photos: 'Photos',
    chat: 'Agent',
    schedule: 'Schedule',
    balance: 'Balance',
    webhooks: 'Webhooks',
    account: 'Account',
  },
  zh: {
    home: '总览',
    tasks: '任务',
    gpu: 'GPU 集群',
    courses: '课程',
    materials: '资料',
    photos: '照片',
    chat: '助手',
    schedule: '日程',
    balance: '余额',
    webhooks: 'Webhook',
    account: '账户',
  },
})

export const PAGES: readonly Page[] = [
  {
    path: '/',
    load: () => import('./home/index.tsx'),
    menu: { text: () => t.home, icon: 'home', group: 'work' },
  },
  {
    path: '/tasks',
    load: () => import('./tasks/index.tsx'),
    menu: { text: () => t.tasks, icon: 'tasks', group: 'work' },
  },
  { path: '/tasks/new', load: () => import('./tasks/new.tsx') },
  { path: '/tasks/:id', load: () => import('./tasks/task.tsx') },
  {
    path: '/gpu',
    load: () => import('./gpu/index.tsx'),
    menu: { text: () => t.gpu, icon: 'gpu', group: 'work' },
  },
  {
    path: '/courses',
    load: () => import('./courses/index.tsx'),
    menu: { text: () => t.courses, icon: 'courses', group: 'work' },
  },
  {
    path: '/materials',
    load: () => import('./materials/index.tsx'),
    menu: { text: () => t.materials, icon: 'materials', group: 'work' },
  },
  { path: '/materials/:id', load: () => import('./materials/material.tsx') },
  {
    path: '/photos',
    load: () => import('./photos/index.tsx'),
    menu: { text: () => t.photos, icon: 'photos', group: 'work' },
  },
  { path: '/photos/map', load: () => import('./photos/map.tsx') },
  { path: '/photos/timeline', load: () => import('./photos/timeline.tsx') },
  { path: '/photos/:id', stays: 'photo', load: () => import('./photos/photo.tsx') },
  {
    path: '/chat',
    stays: 'chat',
    load: () => import('./chat/index.tsx'),
    menu: { text: () => t.chat, icon: 'chat', group: 'work' },
  },
  { path: '/chat/:session', stays: 'chat', load: () => import('./chat/index.tsx') },
  {
    path: '/schedule',
    load: () => import('./schedule/index.tsx'),
    menu: { text: () => t.schedule, icon: 'schedule', group: 'work' },
  },
  {
    path: '/balance',
    load: () => import('./balance/index.tsx'),
    menu: { text: () => t.balance, icon: 'money', group: 'account' },
  },
  {
    path: '/webhooks',
    load: () => import('./webhooks/index.tsx'),
    menu: { text: () => t.webhooks, icon: 'webhook', group: 'account' },
  },
  { path: '/webhooks/:id', load: () => import('./webhooks/webhook.tsx') },
  {
    path: '/account',
    load: () => import('./account/index.tsx'),
    menu: { text: () => t.account, icon: 'session', group: 'account' },
  },
  ...ADMIN_PAGES,
]
