/** Every account, for administrators. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { ROLES, type Role, roleName } from '../../lib/roles.ts'
import { api, me } from '../../lib/session.ts'
import { useView, type View } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Ago, Badge, Card, Loaded, PageHead } from '../../ui/parts.tsx'
import { Table } from '../../ui/table.tsx'
import { CreateUser, EditUser } from './user-dialogs.tsx'

const t = texts({
  en: {
    title: 'Users',
    create: 'New user',
    search: 'Search',
    searchHint: 'Username, name or email',
    role: 'Role',
    all: 'All',
    active: 'Active',
    inactive: 'Deactivated',
    user: 'User',
    status: 'Status',
    lastSeen: 'Last sign-in',
    since: 'Since',
    actions: 'Actions',
    edit: 'Edit',
    never: 'Never',
    none: 'No user fits.',
    unconfirmed: 'Email not confirmed',
    total: (n: string) => (n === '1' ? '1 user' : `${n} users`),
  },
  zh: {
    title: '用户',
    create: '新建用户',
    search: '搜索',
    searchHint: '用户名、姓名或邮箱',
    role: '角色',
    all: '全部',
    active: '正常',
    inactive: '已停用',
    user: '用户',
    status: '状态',
    lastSeen: '最近登录',
    since: '注册时间',
    actions: '操作',
    edit: '编辑',
    never: '从未',
    none: '没有符合条件的用户。',
    unconfirmed: '邮箱未验证',
    total: (n: string) => `共 ${n} 个用户`,
  },
})

interface Query {
  page: number
  search?: string
  role?: Role
  status?: 'active' | 'inactive'
}

const load = (query: Query, signal: AbortSignal) =>
  dataOf(api().portfolio.users.get({ query: { ...query, limit: 25 }, signal }))

type Answer = Awaited<ReturnType<typeof load>>
export type User = Answer['data'][number]

export default function Users() {
  const { filter, page, key, change } = useFilter(['search', 'role', 'status'])
  // The server refuses what it does not know.
  const view = useView({ key, load: (signal) => load({ ...filter, page } as Query, signal) })
  const creating = useSignal(false)
  const editing = useSignal<User | undefined>(undefined)
  const done = () => {
    creating.value = false
    editing.value = undefined
    void view.reload()
  }
  return (
    <>
      <PageHead title={t.title}>
        {me.value?.role === 'super_admin' && (
          <Button
            kind="primary"
            icon="plus"
            onClick={() => {
              creating.value = true
            }}
          >
            {t.create}
          </Button>
        )}
      </PageHead>
      <Card>
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
            label={t.role}
            value={filter.role ?? ''}
            options={[['', t.all], ...ROLES.map((role) => [role, roleName[role]] as const)]}
            onChange={({ currentTarget }) => change({ role: currentTarget.value })}
          />
          <Select
            label={t.status}
            value={filter.status ?? ''}
            options={[
              ['', t.all],
              ['active', t.active],
              ['inactive', t.inactive],
            ]}
            onChange={({ currentTarget }) => change({ status: currentTarget.value })}
          />
        </div>
        <List
          view={view}
          onEdit={(user) => {
            editing.value = user
          }}
        />
      </Card>
      {creating.value && <CreateUser onDone={done} onClose={done} />}
      {editing.value && <EditUser user={editing.value} onDone={done} onClose={done} />}
    </>
  )
}

const List = ({ view, onEdit }: { view: View<Answer>; onEdit: (user: User) => void }) => (
  <Loaded view={view}>
    {({ data, pagination }) => (
      <>
        <Table
          caption={t.title}
          none={t.none}
          rows={data}
          keyOf={({ id }) => id}
          columns={[
            {
              title: t.user,
              cell: ({ username, display_name, email, email_confirmed }) => (
                <div>
                  <strong>{display_name}</strong> <span class="muted">@{username}</span>
                  <div class="small muted">
                    {email} {!email_confirmed && <Badge tone="warn">{t.unconfirmed}</Badge>}
                  </div>
                </div>
              ),
            },
            { title: t.role, cell: ({ role }) => <span class="nowrap">{roleName[role as Role]}</span> },
            {
              title: t.status,
              cell: ({ is_active }) =>
                is_active ? <Badge tone="good">{t.active}</Badge> : <Badge tone="bad">{t.inactive}</Badge>,
            },
            {
              title: t.lastSeen,
              cell: ({ last_login_at }) => (last_login_at ? <Ago at={last_login_at} /> : t.never),
            },
            { title: t.since, cell: ({ created_at }) => <Ago at={created_at} /> },
            {
              title: t.actions,
              cell: (user) => (
                <Button small icon="edit" onClick={() => onEdit(user)}>
                  {t.edit}
                </Button>
              ),
            },
          ]}
        />
        <Pager of={pagination} total={t.total(count(pagination.total))} />
      </>
    )}
  </Loaded>
)
