/** The log of all servers, as it is written. Nothing here may send a request because a line has come: each is a line too. */
import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { TopicError } from '../../../../client/index.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { live, status } from '../../lib/session.ts'
import { Button } from '../../ui/button.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { LogBox } from '../../ui/log-box.tsx'
import { Card } from '../../ui/parts.tsx'
import { type Line, LogLine, searchable } from './log-line.tsx'
import { LEVELS, type Level, LineTail } from './log-tail.ts'

const t = texts({
  en: {
    title: 'Live log',
    pause: 'Pause',
    resume: 'Resume',
    clear: 'Clear',
    level: 'Level',
    all: 'All lines',
    from: (level: string) => `${level} and above`,
    filter: 'Filter',
    filterHint: 'A text in a line, in any case',
    waiting: 'Lines appear here about a second after a server has written them.',
    none: 'No line fits the filter.',
    paused: (n: string) => `Paused. New lines: ${n}`,
    noSocket: 'This network blocks WebSockets. The live log needs one; the stored log has the same lines.',
    notStored: 'The servers do not store their log (LOG_KEEP_DAYS is 0), so it cannot be followed here.',
    refused: 'The server does not show you its log.',
  },
  zh: {
    title: '实时日志',
    pause: '暂停',
    resume: '继续',
    clear: '清空',
    level: '级别',
    all: '全部',
    from: (level: string) => `${level} 及以上`,
    filter: '筛选',
    filterHint: '日志中的文字，不区分大小写',
    waiting: '服务器写入约一秒后，日志会显示在这里。',
    none: '没有符合筛选条件的日志。',
    paused: (n: string) => `已暂停，新日志 ${n} 行`,
    noSocket: '此网络阻止 WebSocket，无法查看实时日志；“已保存的日志”中有相同的内容。',
    notStored: '服务器不保存日志（LOG_KEEP_DAYS 为 0），因此无法在此查看。',
    refused: '服务器不允许你查看其日志。',
  },
})

/** Lines come in bursts; the page shows each burst at once. */
const SHOW_AFTER_MS = 150
/** Elements in the page. */
const MOST_SHOWN = 500

export function LiveLog() {
  const lines = useSignal<readonly Line[]>([])
  const level = useSignal<Level>('DEBUG')
  const text = useSignal('')
  const isPaused = useSignal(false)
  const unseen = useSignal(0)
  const error = useSignal<TopicError | undefined>(undefined)
  const follows = useRef(true)
  const tail = useRef(new LineTail())

  const show = () => {
    if (!isPaused.peek()) lines.value = tail.current.take()
    unseen.value = tail.current.unseen
  }
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = live().watch(
      'system:log',
      (line) => {
        tail.current.add(line)
        timer ??= setTimeout(() => {
          timer = undefined
          show()
        }, SHOW_AFTER_MS)
      },
      {
        onError: (problem) => {
          error.value = problem
        },
      },
    )
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [])
  const shown = useComputed(() => {
    const wanted = text.value.trim().toLowerCase()
    const lowest = LEVELS.indexOf(level.value)
    return lines.value
      .filter(
        (line) => LEVELS.indexOf(line.level) >= lowest && (!wanted || searchable(line).includes(wanted)),
      )
      .slice(-MOST_SHOWN)
  }).value
  const toggle = () => {
    isPaused.value = !isPaused.value
    show()
  }
  const clear = () => {
    tail.current = new LineTail()
    lines.value = []
    unseen.value = 0
  }
  if (error.value)
    return <p class="notice warn">{error.value.code === 'LOG_NOT_STORED' ? t.notStored : t.refused}</p>
  return (
    <Card
      title={t.title}
      actions={
        <>
          {isPaused.value && (
            <span class="small number" role="status">
              {t.paused(count(unseen.value))}
            </span>
          )}
          <Button small icon={isPaused.value ? 'play' : 'pause'} onClick={toggle}>
            {isPaused.value ? t.resume : t.pause}
          </Button>
          <Button small icon="trash" onClick={clear}>
            {t.clear}
          </Button>
        </>
      }
    >
      {status.value === 'polling' && <p class="notice warn">{t.noSocket}</p>}
      <div class="fields">
        <Select
          label={t.level}
          value={level.value}
          options={LEVELS.map((name) => [name, name === 'DEBUG' ? t.all : t.from(name)])}
          onChange={({ currentTarget }) => {
            level.value = currentTarget.value as Level
          }}
        />
        <TextField
          label={t.filter}
          hint={t.filterHint}
          type="search"
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value
          }}
        />
      </div>
      <LogBox label={t.title} lines={shown} follows={follows}>
        {shown.length === 0 && <p class="muted">{lines.value.length === 0 ? t.waiting : t.none}</p>}
        {shown.map((line) => (
          <LogLine key={line.id} line={line} />
        ))}
      </LogBox>
    </Card>
  )
}
