/** The frame around every page: menu, connection, language, theme. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import icon from './icon.svg'
import { money } from './lib/format.ts'
import { language, setLanguage, texts } from './lib/language.ts'
import { useNotices } from './lib/notices.ts'
import { useReminders } from './lib/reminders.ts'
import { href, route } from './lib/router.ts'
import { isAdmin, me, signOut } from './lib/session.ts'
import { isDark, setTheme } from './lib/theme.ts'
import { PAGES, type Page } from './pages/index.ts'
import { Button, IconButton } from './ui/button.tsx'
import { Connection } from './ui/connection.tsx'
import { Icon } from './ui/icon.tsx'
import { Maintenance } from './ui/maintenance.tsx'

const t = texts({
  en: {
    skip: 'Skip to the content',
    menu: 'Menu',
    account: 'Account',
    administration: 'Administration',
    signOut: 'Sign out',
    language: '中文',
    dark: 'Dark colours',
    light: 'Light colours',
    docs: 'API documentation',
    balance: 'Available balance',
  },
  zh: {
    skip: '跳到内容',
    menu: '菜单',
    account: '账户',
    administration: '管理',
    signOut: '退出登录',
    language: 'English',
    dark: '深色',
    light: '浅色',
    docs: 'API 文档',
    balance: '可用余额',
  },
})

export function Shell({ children }: { children: ComponentChildren }) {
  useReminders()
  useNotices()
  const menu = useSignal<'open' | 'closed'>('closed')
  const close = () => {
    menu.value = 'closed'
  }
  // The browser's “back” leads to another page too.
  useLayoutEffect(close, [route.value.path])
  const links = useRef<HTMLElement>(null)
  useEffect(() => {
    if (menu.value === 'open') links.current?.querySelector('a')?.focus()
  }, [menu.value])
  const onEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || menu.value === 'closed') return
    close()
    document.querySelector<HTMLElement>('.menu-button button')?.focus()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the menu from wherever the focus is
    <div class="shell" data-menu={menu.value} onKeyDown={onEscape}>
      <a class="skip-link" href={location.hash || '#/'} onClick={skip}>
        {t.skip}
      </a>
      <aside class="sidebar">
        <a class="brand" href={href('/')}>
          <img src={icon} alt="" /> Roost
        </a>
        <nav ref={links} aria-label={t.menu}>
          <Group of="work" onChoose={close} />
          <Group of="account" title={t.account} onChoose={close} />
          {isAdmin.value && <Group of="administration" title={t.administration} onChoose={close} />}
        </nav>
        <div class="sidebar-foot">
          <a class="small" href="/api/docs" target="_blank" rel="noreferrer">
            {t.docs}
          </a>
        </div>
      </aside>
      {menu.value === 'open' && <button type="button" class="backdrop" aria-label={t.menu} onClick={close} />}
      <div class="main">
        <header class="topbar">
          <span class="menu-button">
            <IconButton
              icon="menu"
              kind="plain"
              label={t.menu}
              aria-expanded={menu.value === 'open'}
              onClick={() => {
                menu.value = 'open'
              }}
            />
          </span>
          <Connection />
          <span class="grow" />
          {me.value && (
            <a class="small number nowrap" href={href('/balance')} title={t.balance}>
              {money(me.value.available_balance)}
            </a>
          )}
          <Preferences />
          <IconButton icon="signOut" kind="plain" label={t.signOut} onClick={signOut} />
        </header>
        <Maintenance />
        <main class="content" id="content">
          {children}
        </main>
      </div>
    </div>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#content h1')?.focus()
}

export const Preferences = () => (
  <>
    <Button
      kind="plain"
      small
      lang={language.value === 'zh' ? 'en' : 'zh-CN'}
      onClick={() => setLanguage(language.value === 'zh' ? 'en' : 'zh')}
    >
      {t.language}
    </Button>
    <IconButton
      icon="sun"
      kind="plain"
      label={isDark.value ? t.light : t.dark}
      onClick={() => setTheme(isDark.value ? 'light' : 'dark')}
    />
  </>
)

type GroupName = NonNullable<Page['menu']>['group']

const Group = ({ of, title, onChoose }: { of: GroupName; title?: string; onChoose: () => void }) => (
  <>
    {title && <div class="nav-group">{title}</div>}
    {PAGES.filter(({ menu }) => menu?.group === of).map(({ path, menu }) => (
      <a
        key={path}
        class="nav-link"
        href={href(path)}
        aria-current={isCurrent(path) ? 'page' : undefined}
        onClick={onChoose}
      >
        <Icon name={menu!.icon} />
        {menu!.text()}
      </a>
    ))}
  </>
)

const isCurrent = (path: string): boolean =>
  path === '/' ? route.value.path === '/' : `${route.value.path}/`.startsWith(`${path}/`)
