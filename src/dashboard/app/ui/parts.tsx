/** Small parts that every page uses. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { RoostError } from '../../../client/index.ts'
import { messageOf } from '../lib/errors.ts'
import { ago, dateTime, percent } from '../lib/format.ts'
import { texts } from '../lib/language.ts'
import { Button } from './button.tsx'

const t = texts({
  en: { retry: 'Try again', loading: 'Loading', copied: 'Copied', copy: 'Copy' },
  zh: { retry: '重试', loading: '加载中', copied: '已复制', copy: '复制' },
})

export type Tone = 'good' | 'warn' | 'bad' | 'info' | ''

export const Badge = ({ tone = '', children }: { tone?: Tone; children: ComponentChildren }) => (
  <span class={`badge ${tone}`}>{children}</span>
)

/** @param value 0 to 100 */
export const Progress = ({ value, label }: { value: number; label: string }) => (
  <div
    class="progress"
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={Math.round(value)}
    aria-valuetext={percent(value)}
  >
    <div style={{ transform: `scaleX(${Math.min(100, Math.max(0, value)) / 100})` }} />
  </div>
)

export const Card = ({
  title,
  actions,
  children,
}: {
  title?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}) => (
  <section class="card">
    {(title || actions) && (
      <div class="card-head">
        {title && <h2>{title}</h2>}
        {actions}
      </div>
    )}
    {children}
  </section>
)

/** The title of a page, also in the tab of the browser. `Outlet` moves the focus to it. */
export function PageHead({
  title,
  back,
  children,
}: {
  title: string
  /** Leads to the list that the page belongs to. */
  back?: { to: string; text: string }
  children?: ComponentChildren
}) {
  // With the heading, and not after it.
  useLayoutEffect(() => {
    document.title = `${title} · Roost`
  }, [title])
  return (
    <div class="page-head">
      {back && (
        <a class="small back" href={back.to}>
          <span aria-hidden="true">←</span> {back.text}
        </a>
      )}
      <h1 tabIndex={-1} dir="auto">
        {title}
      </h1>
      {children}
    </div>
  )
}

export const Empty = ({ text, children }: { text: string; children?: ComponentChildren }) => (
  <div class="empty">
    <p>{text}</p>
    {children}
  </div>
)

/** Another try would not change the answer. */
const isFinal = (error: unknown): boolean =>
  error instanceof RoostError && [400, 403, 404, 422].includes(error.status)

/** What could not be fetched without a network is fetched by itself when the browser has one again. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => unknown }) {
  const retry = useRef(onRetry)
  retry.current = onRetry
  const isUnreached = error instanceof RoostError && error.code === 'UNREACHABLE'
  // Before the user can see it: the network may be back just then.
  useLayoutEffect(() => {
    if (!isUnreached) return undefined
    const again = () => void retry.current?.()
    addEventListener('online', again)
    return () => removeEventListener('online', again)
  }, [isUnreached])
  return (
    <div class="notice bad" role="alert">
      <span class="grow">{messageOf(error)}</span>
      {onRetry && !isFinal(error) && (
        <Button small icon="retry" onClick={onRetry}>
          {t.retry}
        </Button>
      )}
    </div>
  )
}

/** In place of content that is being fetched, about as high as the content. */
export const Loading = ({ lines = 4 }: { lines?: number }) => (
  <div class="stack" aria-busy="true" role="status">
    <span class="hidden-text">{t.loading}</span>
    {Array.from({ length: lines }, (_, index) => (
      <div key={index} class="skeleton" />
    ))}
  </div>
)

/** Shows what a view has: its error, a place holder while it is fetched, or its data. */
export function Loaded<T>({
  view,
  lines,
  children,
}: {
  view: { data: T | undefined; error: unknown; reload: () => unknown }
  lines?: number
  children: (data: T) => ComponentChildren
}) {
  return (
    <>
      {view.error !== undefined && <ErrorNotice error={view.error} onRetry={view.reload} />}
      {view.data !== undefined
        ? children(view.data)
        : view.error === undefined && <Loading {...(lines !== undefined && { lines })} />}
    </>
  )
}

/** A time as “5 min. ago”, with the exact one as its title. It is renewed each half minute. */
export function Ago({ at }: { at: string }) {
  const tick = useSignal(0)
  useEffect(() => {
    const timer = setInterval(() => tick.value++, 30_000)
    return () => clearInterval(timer)
  }, [])
  void tick.value
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago(at)}
    </time>
  )
}

/** A number with what it counts. */
export const Figure = ({ value, label }: { value: ComponentChildren; label: string }) => (
  <div class="figure">
    <strong>{value}</strong>
    <span>{label}</span>
  </div>
)

export const Facts = ({
  facts,
}: {
  facts: readonly (readonly [name: string, value: ComponentChildren])[]
}) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <>
        <dt key={`${name}-name`}>{name}</dt>
        <dd key={`${name}-value`}>{value}</dd>
      </>
    ))}
  </dl>
)

/** A text that the user needs elsewhere: an address, a code, a token. */
export function Copyable({ text }: { text: string }) {
  const copied = useSignal(false)
  const code = useRef<HTMLElement>(null)
  const copy = async () => {
    getSelection()?.selectAllChildren(code.current!)
    // Pages over plain HTTP have no clipboard.
    if (isSecureContext) await navigator.clipboard.writeText(text)
    else if (!document.execCommand('copy')) return
    copied.value = true
    setTimeout(() => {
      copied.value = false
    }, 2000)
  }
  return (
    <span class="row">
      <code ref={code} class="grow truncate" title={text}>
        {text}
      </code>
      <Button small icon={copied.value ? 'check' : 'copy'} onClick={copy}>
        {copied.value ? t.copied : t.copy}
      </Button>
    </span>
  )
}

/** Links between the parts of a page. */
export const TabLinks = ({
  label,
  tabs,
  current,
}: {
  label: string
  tabs: readonly (readonly [id: string, text: string, to: string])[]
  current: string
}) => (
  <nav class="tabs" aria-label={label}>
    {tabs.map(([id, text, to]) => (
      <a key={id} href={to} aria-current={id === current ? 'page' : undefined}>
        {text}
      </a>
    ))}
  </nav>
)
