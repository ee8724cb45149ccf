/** The log of all servers, as far back as it is kept. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { count, dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { save } from '../../lib/save.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Card, Empty, Loaded } from '../../ui/parts.tsx'
import { LogLine } from './log-line.tsx'
import { LEVELS, type Level } from './log-tail.ts'

const t = texts({
  en: {
    title: 'Stored log',
    search: 'Search',
    searchHint: 'A part of a message or of a field',
    level: 'Level',
    all: 'All levels',
    from: 'From (UTC)',
    to: 'To (UTC)',
    renew: 'Refresh',
    none: 'No line fits.',
    lines: (n: string) => `Lines: ${n}`,
    many: (n: string) => `More than ${n} lines; choose an earlier last day to see older ones`,
    searchedFrom: (when: string) =>
      `A search takes three seconds at most. This one has looked at the lines since ${when}.`,
    older: 'Look further back',
    day: 'Download a day (UTC)',
    download: 'Download',
    noDay: 'Choose a day first.',
  },
  zh: {
    title: '已保存的日志',
    search: '搜索',
    searchHint: '消息或字段中的文字',
    level: '级别',
    all: '全部级别',
    from: '从（UTC）',
    to: '到（UTC）',
    renew: '刷新',
    none: '没有符合条件的日志。',
    lines: (n: string) => `共 ${n} 行`,
    many: (n: string) => `超过 ${n} 行；选择更早的结束日期可查看更早的日志`,
    searchedFrom: (when: string) => `搜索最多进行三秒，本次已查找 ${when} 以来的日志。`,
    older: '继续向前查找',
    day: '下载某天的日志（UTC）',
    download: '下载',
    noDay: '请先选择日期。',
  },
})

const PAGE_SIZE = 100
/** The server counts no further. */
const MOST = 10_000

export function StoredLog() {
  const { filter, page, key, change } = useFilter(['search', 'level', 'start_date', 'end_date'])
  const { level, ...others } = filter
  const view = useView({
    key,
    load: (signal) =>
      dataOf(
        api().factory.logs.system.get({
          query: { ...others, ...(level && { level: level as Level }), page, page_size: PAGE_SIZE },
          signal,
        }),
      ).then(({ data }) => data),
  })
  return (
    <Card
      title={t.title}
      actions={
        <Button small icon="retry" onClick={view.reload}>
          {t.renew}
        </Button>
      }
    >
      <div class="fields">
        <TextField
          label={t.search}
          hint={t.searchHint}
          type="search"
          maxLength={100}
          value={filter.search ?? ''}
          onChange={({ currentTarget }) => change({ search: currentTarget.value })}
        />
        <Select
          label={t.level}
          value={level ?? ''}
          options={[['', t.all], ...LEVELS.map((name) => [name, name] as const)]}
          onChange={({ currentTarget }) => change({ level: currentTarget.value })}
        />
        <TextField
          label={t.from}
          type="date"
          value={filter.start_date ?? ''}
          onChange={({ currentTarget }) => change({ start_date: currentTarget.value })}
        />
        <TextField
          label={t.to}
          type="date"
          value={filter.end_date ?? ''}
          onChange={({ currentTarget }) => change({ end_date: currentTarget.value })}
        />
      </div>
      <Loaded view={view} lines={10}>
        {({ items, total, searched_from, ...paging }) => (
          <>
            {searched_from && (
              <div class="notice">
                <span class="grow">{t.searchedFrom(dateTime(searched_from))}</span>
                <Button small onClick={() => change({ end_date: searched_from.slice(0, 10) })}>
                  {t.older}
                </Button>
              </div>
            )}
            {total === 0 ? (
              <Empty text={t.none} />
            ) : (
              <>
                <p class="small muted number">{(total < MOST ? t.lines : t.many)(count(total))}</p>
                <div class="log log-page">
                  {items.map(({ created_at: at, ...line }) => (
                    <LogLine key={line.id} line={{ ...line, at }} withDay />
                  ))}
                </div>
                <Pager of={paging} />
              </>
            )}
          </>
        )}
      </Loaded>
      <Download />
    </Card>
  )
}

function Download() {
  const day = useSignal(new Date().toISOString().slice(0, 10))
  const download = async () => {
    const query = { log_type: 'system' as const, date: day.value }
    const file = await dataOf<unknown>(api().factory.logs.download.get({ query }))
    save(file as Blob, `system-${day.value}.ndjson`)
  }
  return (
    <div class="log-download">
      <TextField
        label={t.day}
        type="date"
        value={day.value}
        onChange={({ currentTarget }) => {
          day.value = currentTarget.value
        }}
      />
      <Button
        icon="download"
        disabled={!day.value}
        title={day.value ? undefined : t.noDay}
        onClick={download}
      >
        {t.download}
      </Button>
    </div>
  )
}
