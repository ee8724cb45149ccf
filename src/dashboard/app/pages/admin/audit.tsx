/** Who did what, and to whom it was done. */
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { dateTime } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { TextField } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Card, Loaded, PageHead } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'

const t = texts({
  en: {
    title: 'Audit log',
    search: 'Search',
    action: 'Action',
    actionHint: 'Such as photo.deleted, or photo',
    from: 'From (UTC)',
    to: 'To (UTC)',
    time: 'Time',
    who: 'Who',
    what: 'What',
    on: 'On',
    details: 'Details',
    server: 'The server',
    none: 'No entry fits.',
  },
  zh: {
    title: '审计日志',
    search: '搜索',
    action: '动作',
    actionHint: '例如 photo.deleted 或 photo',
    from: '从（UTC）',
    to: '到（UTC）',
    time: '时间',
    who: '操作者',
    what: '动作',
    on: '对象',
    details: '详情',
    server: '服务器',
    none: '没有符合条件的记录。',
  },
})

export default function Audit() {
  const { filter, page, key, change } = useFilter(['search', 'action', 'date_from', 'date_to'])
  const view = useView({
    key,
    load: (signal) => dataOf(api().portfolio.audit.get({ query: { ...filter, page, limit: 50 }, signal })),
  })
  return (
    <>
      <PageHead title={t.title} />
      <Card>
        <div class="fields">
          <TextField
            label={t.search}
            type="search"
            maxLength={100}
            value={filter.search ?? ''}
            onChange={({ currentTarget }) => change({ search: currentTarget.value })}
          />
          <TextField
            label={t.action}
            hint={t.actionHint}
            value={filter.action ?? ''}
            onChange={({ currentTarget }) => change({ action: currentTarget.value.trim() })}
          />
          <TextField
            label={t.from}
            type="date"
            value={filter.date_from ?? ''}
            onChange={({ currentTarget }) => change({ date_from: currentTarget.value })}
          />
          <TextField
            label={t.to}
            type="date"
            value={filter.date_to ?? ''}
            onChange={({ currentTarget }) => change({ date_to: currentTarget.value })}
          />
        </div>
        <Loaded view={view} lines={10}>
          {({ data, pagination }) => (
            <>
              <Table
                caption={t.title}
                none={t.none}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: t.time,
                    cell: ({ created_at }) => <span class="nowrap">{dateTime(created_at)}</span>,
                  },
                  {
                    title: t.who,
                    cell: ({ actor, ip }) => (
                      <span title={ip}>{actor?.username ?? <span class="muted">{t.server}</span>}</span>
                    ),
                  },
                  { title: t.what, cell: ({ action }) => <code>{action}</code> },
                  { title: t.on, cell: ({ target }) => (target ? `${target.type} ${target.id}` : '–') },
                  {
                    title: t.details,
                    cell: ({ details }) =>
                      Object.keys(details).length > 0 && (
                        <code class="small break">{JSON.stringify(details)}</code>
                      ),
                  },
                ]}
              />
              <Pager of={pagination} />
            </>
          )}
        </Loaded>
      </Card>
    </>
  )
}
