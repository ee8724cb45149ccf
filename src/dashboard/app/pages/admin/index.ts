/** The pages for administrators. */
import { texts } from '../../lib/language.ts'
import type { Page } from '../index.ts'

const t = texts({
  en: {
    system: 'System',
    users: 'Users',
    codes: 'Codes',
    settings: 'Settings',
    scheduler: 'Scheduler',
    log: 'System log',
    audit: 'Audit log',
  },
  zh: {
    system: '系统',
    users: '用户',
    codes: '兑换码',
    settings: '设置',
    scheduler: '定时任务',
    log: '系统日志',
    audit: '审计日志',
  },
})

const group = 'administration' as const

export const ADMIN_PAGES: readonly Page[] = [
  {
    path: '/admin/system',
    load: () => import('./system.tsx'),
    menu: { text: () => t.system, icon: 'pulse', group },
  },
  {
    path: '/admin/users',
    load: () => import('./users.tsx'),
    menu: { text: () => t.users, icon: 'users', group },
  },
  {
    path: '/admin/codes',
    load: () => import('./codes.tsx'),
    menu: { text: () => t.codes, icon: 'code', group },
  },
  {
    path: '/admin/settings',
    load: () => import('./settings.tsx'),
    menu: { text: () => t.settings, icon: 'settings', group },
  },
  {
    path: '/admin/scheduler',
    load: () => import('./scheduler.tsx'),
    menu: { text: () => t.scheduler, icon: 'clock', group },
  },
  {
    path: '/admin/log',
    load: () => import('./log.tsx'),
    menu: { text: () => t.log, icon: 'log', group },
  },
  {
    path: '/admin/audit',
    load: () => import('./audit.tsx'),
    menu: { text: () => t.audit, icon: 'audit', group },
  },
]
