/** The log of a task, as it is written. */
import { useSignal } from '@preact/signals'
import { Component } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { clock } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { save } from '../../lib/save.ts'
import { api, live } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { LogBox } from '../../ui/log-box.tsx'
import { Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'Log',
    empty: 'Nothing has been logged yet. Lines appear here as they are written.',
    older: 'Older lines are not shown here.',
    save: 'Save the whole log',
    attempt: (n: number) => `Attempt ${n}`,
  },
  zh: {
    title: '日志',
    empty: '还没有日志，新日志会实时显示在这里。',
    older: '较早的日志未在此显示。',
    save: '保存完整日志',
    attempt: (n: number) => `第 ${n} 次运行`,
  },
})

interface Line {
  position: number
  attempt: number
  level: string
  message: string
  at: string
}

/** Lines in the page. While the reader has scrolled up, more may come before the oldest ones go. */
const KEPT = 1000
const KEPT_UNREAD = 5000
/** Lines come in bursts; the page shows each burst at once. */
const SHOW_AFTER_MS = 100

interface LinesQuery {
  limit: number
  after?: number
}

async function linesOf(id: string, query: LinesQuery, signal?: AbortSignal): Promise<Line[]> {
  const lines = await dataOf(
    api()
      .study.tasks({ id })
      .logs.get({ query, ...(signal && { signal }) }),
  )
  return lines.map(({ id: position, created_at: at, ...line }) => ({ ...line, position, at }))
}

/** The newest lines, then those that come. Undefined while the first ones are being fetched. */
function useLines(id: string, follows: { readonly current: boolean }) {
  const view = useView<readonly Line[]>({ load: (signal) => linesOf(id, { limit: KEPT }, signal) })
  const lines = useSignal<readonly Line[] | undefined>(undefined)
  const isCut = useSignal(false)
  const newest = view.data
  useEffect(() => {
    if (!newest) return undefined
    lines.value = newest
    isCut.value = newest.length === KEPT
    let timer: ReturnType<typeof setTimeout> | undefined
    let waiting: Line[] = []
    const show = () => {
      timer = undefined
      const all = [...lines.peek()!, ...waiting]
      const most = follows.current ? KEPT : KEPT_UNREAD
      if (all.length > most) isCut.value = true
      lines.value = all.slice(-most)
      waiting = []
    }
    const stop = live().watch(`task:${id}`, () => {}, {
      logPosition: newest.at(-1)?.position ?? 0,
      onLog: (line) => {
        waiting.push(line)
        timer ??= setTimeout(show, SHOW_AFTER_MS)
      },
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [newest])
  return { view, lines: lines.value, isCut: isCut.value }
}

export function TaskLog({ id }: { id: string }) {
  const follows = useRef(true)
  const { view, lines, isCut } = useLines(id, follows)
  return (
    <Card
      title={t.title}
      actions={
        lines?.length ? (
          <Button small icon="download" onClick={() => saveLog(id)}>
            {t.save}
          </Button>
        ) : undefined
      }
    >
      {isCut && <p class="small muted">{t.older}</p>}
      <Loaded view={{ data: lines, error: view.error, reload: view.reload }} lines={8}>
        {(shown) => (
          <LogBox label={t.title} lines={shown} follows={follows}>
            {shown.length === 0 && <p class="muted">{t.empty}</p>}
            {shown.map((line, index) => (
              <Row key={line.position} line={line} isFirst={line.attempt !== shown[index - 1]?.attempt} />
            ))}
          </LogBox>
        )}
      </Loaded>
    </Card>
  )
}

/** A row never changes, so that a new one costs no look at the others. */
class Row extends Component<{ line: Line; isFirst: boolean }> {
  override shouldComponentUpdate(next: { isFirst: boolean }, state: object) {
    // A signal that the row reads, such as the language, sets an empty state.
    return next.isFirst !== this.props.isFirst || state !== this.state
  }

  override render({ line: { attempt, level, message, at }, isFirst }: { line: Line; isFirst: boolean }) {
    return (
      <>
        {isFirst && attempt > 0 && <div class="log-attempt">{t.attempt(attempt)}</div>}
        <div class="log-line" data-level={level}>
          <time dateTime={at}>{clock(at)}</time> <span class="log-level">{level}</span> {message}
        </div>
      </>
    )
  }
}

/** All lines, as a file. */
async function saveLog(id: string): Promise<void> {
  const parts: string[] = []
  let after = 0
  for (;;) {
    const lines = await linesOf(id, { limit: KEPT, after })
    parts.push(...lines.map(({ at, level, message }) => `${at} ${level} ${message}\n`))
    if (lines.length < KEPT) break
    after = lines.at(-1)!.position
  }
  save(new Blob(parts, { type: 'text/plain' }), `${id}.log`)
}
