/** Shows the page of the address. */
import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks'
import { RoostError } from '../../client/index.ts'
import { focusHeading } from './lib/focus.ts'
import { texts } from './lib/language.ts'
import { href, match, route } from './lib/router.ts'
import { isAdmin, me, status } from './lib/session.ts'
import { isOutdated } from './lib/version.ts'
import { PAGES, type PageProps } from './pages/index.ts'
import { ButtonLink } from './ui/button.tsx'
import { Empty, ErrorNotice, Loading, PageHead } from './ui/parts.tsx'

const t = texts({
  en: {
    notFound: 'This page does not exist',
    forAdmins: 'This page is for administrators',
    home: 'To the overview',
    failed: 'The page could not be loaded',
  },
  zh: {
    notFound: '页面不存在',
    forAdmins: '此页面仅供管理员使用',
    home: '返回总览',
    failed: '页面加载失败',
  },
})

function find(path: string) {
  for (const page of PAGES) {
    const params = match(page.path, path)
    if (params) return { page, params }
  }
  return undefined
}

export function Outlet() {
  const { path } = route.value
  const found = find(path)
  const name = found && (found.page.stays ?? found.page.path)
  const shown = useSignal<{ name: string; Component: ComponentType<PageProps> } | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const tries = useSignal(0)
  useEffect(() => {
    error.value = undefined
    if (!found || !name) return undefined
    let isLeft = false
    found.page.load().then(
      ({ default: Component }) => {
        if (!isLeft) shown.value = { name, Component }
      },
      async (problem) => {
        const why = await failedFor(problem)
        if (!isLeft && why !== undefined) error.value = why
      },
    )
    // The code of a page that was left meanwhile may come after that of the next one.
    return () => {
      isLeft = true
    }
  }, [name, tries.value])
  const retry = () => {
    tries.value++
  }
  const isLive = status.value === 'live'
  useEffect(() => {
    if (isLive && error.peek() !== undefined) retry()
  }, [isLive])
  const isForOthers = found?.page.menu?.group === 'administration' && me.value !== undefined && !isAdmin.value
  const isShown = !found || isForOthers || error.value !== undefined || shown.value?.name === name
  useArrival(found?.page.stays ?? path, isShown)
  if (!found) return <Nothing title={t.notFound} text={path} />
  if (isForOthers) return <Nothing title={t.forAdmins} />
  if (error.value !== undefined) return <Failed error={error.value} onRetry={retry} />
  if (!shown.value || shown.value.name !== name) return <Loading />
  return <Safe key={found.page.stays ?? path} Component={shown.value.Component} params={found.params} />
}

/** A fault of one page leaves the menu and the other pages. */
function Safe({ Component, params }: PageProps & { Component: ComponentType<PageProps> }) {
  const [fault, retry] = useErrorBoundary()
  return fault === undefined ? <Component params={params} /> : <Failed error={fault} onRetry={retry} />
}

const Failed = ({ error, onRetry }: { error: unknown; onRetry: () => void }) => (
  <>
    <PageHead title={t.failed} />
    <ErrorNotice error={error} onRetry={onRetry} />
  </>
)

const Nothing = ({ title, text = '' }: { title: string; text?: string }) => (
  <>
    <PageHead title={title} />
    <Empty text={text}>
      <ButtonLink to={href('/')}>{t.home}</ButtonLink>
    </Empty>
  </>
)

/**
 * After an update of the server the files of the older page are gone, and a reload fetches the new ones.
 * @returns what the user reads; undefined before a reload
 */
async function failedFor(problem: unknown): Promise<unknown> {
  try {
    if (!(await isOutdated())) return problem
    location.reload()
    return undefined
  } catch {
    return new RoostError(0, 'UNREACHABLE', '')
  }
}

/** A page that was opened from another one begins at its top, with the focus in its title unless it has put it elsewhere. */
function useArrival(page: string, isShown: boolean): void {
  const last = useRef<string | undefined>(undefined)
  useEffect(() => {
    if (!isShown || last.current === page) return
    const isFirst = last.current === undefined
    last.current = page
    if (isFirst) return
    if (!document.getElementById('content')?.contains(document.activeElement)) focusHeading()
  }, [page, isShown])
}
