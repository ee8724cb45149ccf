/** Every page: its address, its title in the menu, and its code, which the browser fetches when the page is opened. */
import type { ComponentType } from 'preact'
import { texts } from '../lib/language.ts'
import type { IconName } from '../ui/icon.tsx'

export interface PageProps {
  params: Record<string, string>
}

export interface Page {
  path: string
  load: () => Promise<{ default: ComponentType<PageProps> }>
  /** In the menu: its text, and the group that it belongs to. Pages without it are reached from others. */
  menu?: { text: () => string; icon: IconName; group: 'work' | 'account' | 'administration' }
}

const t = texts({
  en: { home: 'Overview', balance: 'Balance', account: 'Account' },
  zh: { home: '总览', balance: '余额', account: '账户' },
})

export const PAGES: readonly Page[] = [
  {
    path: '/',
    load: () => import('./home/index.tsx'),
    menu: { text: () => t.home, icon: 'home', group: 'work' },
  },
  {
    path: '/balance',
    load: () => import('./balance/index.tsx'),
    menu: { text: () => t.balance, icon: 'money', group: 'account' },
  },
  {
    path: '/account',
    load: () => import('./account/index.tsx'),
    menu: { text: () => t.account, icon: 'session', group: 'account' },
  },
]
