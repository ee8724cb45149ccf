/** Shows the page of the address. */
import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { texts } from './lib/language.ts'
import { href, match, route } from './lib/router.ts'
import { PAGES, type PageProps } from './pages/index.ts'
import { ButtonLink } from './ui/button.tsx'
import { Empty, ErrorNotice, Loading, PageHead } from './ui/parts.tsx'

const t = texts({
  en: { notFound: 'This page does not exist', home: 'To the overview' },
  zh: { notFound: '页面不存在', home: '返回总览' },
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
  useEffect(() => {
    error.value = undefined
    if (!found || !name) return undefined
    let isLeft = false
    found.page.load().then(
      ({ default: Component }) => {
        if (!isLeft) shown.value = { name, Component }
      },
      (problem) => {
        if (!isLeft) error.value = problem
      },
    )
    // The code of a page that was left meanwhile may come after that of the next one.
    return () => {
      isLeft = true
    }
  }, [name])
  if (!found) {
    return (
      <>
        <PageHead title={t.notFound} />
        <Empty text={path}>
          <ButtonLink to={href('/')}>{t.home}</ButtonLink>
        </Empty>
      </>
    )
  }
  // After an update of the server the files of the older page are gone. A reload fetches the new ones.
  if (error.value !== undefined) return <ErrorNotice error={error.value} onRetry={() => location.reload()} />
  if (!shown.value || shown.value.name !== name) return <Loading />
  const { Component } = shown.value
  return <Component key={found.page.stays ?? path} params={found.params} />
}
