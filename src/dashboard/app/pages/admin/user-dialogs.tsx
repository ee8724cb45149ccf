/** Creating a user, and changing one: role, state, balance, sessions. */
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { texts } from '../../lib/language.ts'
import { ROLES, type Role, roleName } from '../../lib/roles.ts'
import { api, me } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { Checkbox, NumberField, PasswordField, Select, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { Loaded } from '../../ui/parts.tsx'
import type { User } from './users.tsx'

const t = texts({
  en: {
    create: 'New user',
    edit: (name: string) => `Edit ${name}`,
    email: 'Email',
    username: 'Username',
    name: 'Name',
    password: 'Password',
    role: 'Role',
    active: 'May sign in',
    balance: 'Balance',
    balanceHint: 'Another amount is entered in the ledger as an adjustment.',
    save: 'Save',
    saved: 'Saved.',
    end: 'End all sessions',
    ended: 'All sessions are ended.',
    delete: 'Delete',
    deleteTitle: 'Delete this account?',
    deleteText: 'The account and what belongs to it is deleted. This cannot be undone.',
    optional: 'Optional',
  },
  zh: {
    create: '新建用户',
    edit: (name: string) => `编辑 ${name}`,
    email: '邮箱',
    username: '用户名',
    name: '姓名',
    password: '密码',
    role: '角色',
    active: '允许登录',
    balance: '余额',
    balanceHint: '修改后会以调整记账。',
    save: '保存',
    saved: '已保存。',
    end: '结束所有登录',
    ended: '所有登录均已结束。',
    delete: '删除',
    deleteTitle: '删除此账户？',
    deleteText: '账户及其数据会被删除，无法恢复。',
    optional: '选填',
  },
})

interface Props {
  onDone: () => void
  onClose: () => void
}

/** Nobody grants a role above their own. @param now the role that a user has, which may be above it */
const grantable = (now?: Role) =>
  ROLES.filter((role, rank) => rank <= ROLES.indexOf(me.value!.role) || role === now).map(
    (role) => [role, roleName[role]] as const,
  )

export const CreateUser = ({ onDone, onClose }: Props) => (
  <Dialog title={t.create} onClose={onClose}>
    <Form
      submit={t.create}
      onSubmit={async ({ email = '', username, display_name, password = '', role }) => {
        await dataOf(
          api().portfolio.users.post({
            email,
            password,
            role: role as Role,
            ...(username && { username }),
            ...(display_name && { display_name }),
          }),
        )
        onDone()
      }}
    >
      {(errors) => (
        <>
          <TextField label={t.email} name="email" type="email" required error={errors.email} />
          <PasswordField label={t.password} name="password" isNew error={errors.password} />
          <TextField label={t.username} name="username" hint={t.optional} error={errors.username} />
          <TextField label={t.name} name="display_name" hint={t.optional} error={errors.display_name} />
          <Select label={t.role} name="role" options={grantable()} error={errors.role} />
        </>
      )}
    </Form>
  </Dialog>
)

export function EditUser({ user, onDone, onClose }: Props & { user: User }) {
  const view = useView({
    load: async (signal) => (await dataOf(api().factory.admin.users({ id: user.id }).get({ signal }))).data,
  })
  return (
    <Dialog title={t.edit(user.username)} onClose={onClose}>
      <Loaded view={view}>
        {(detail) => <Fields user={user} balance={detail.balance} onDone={onDone} />}
      </Loaded>
    </Dialog>
  )
}

function Fields({ user, balance, onDone }: { user: User; balance: number; onDone: () => void }) {
  const isSelf = user.email === me.value!.email
  const save = async ({
    full_name = '',
    username = '',
    email = '',
    role,
    is_active,
    balance: amount = '',
  }: Values) => {
    const now = {
      full_name,
      username,
      email,
      role: role as Role,
      is_active: is_active !== undefined,
      balance: Number(amount),
    }
    const before = { ...user, full_name: user.display_name, balance }
    await dataOf(api().factory.admin.users({ id: user.id }).put(changed(now, before)))
    showToast('good', t.saved)
    onDone()
  }
  const endSessions = async () => {
    await dataOf(
      api()
        .portfolio.users({ id: user.id })
        .sessions.delete({}, { query: { except_current: isSelf } }),
    )
    showToast('good', t.ended)
  }
  const remove = async () => {
    if (!(await confirm(t.deleteTitle, { text: t.deleteText, yes: t.delete }))) return
    await dataOf(api().portfolio.users({ id: user.id }).delete())
    onDone()
  }
  return (
    <Form
      submit={t.save}
      onSubmit={save}
      actions={
        <>
          <Button onClick={endSessions}>{t.end}</Button>
          {me.value!.role === 'super_admin' && !isSelf && (
            <Button kind="danger" onClick={remove}>
              {t.delete}
            </Button>
          )}
        </>
      }
    >
      {(errors) => (
        <>
          <TextField
            label={t.name}
            name="full_name"
            required
            defaultValue={user.display_name}
            error={errors.full_name}
          />
          <TextField
            label={t.username}
            name="username"
            required
            defaultValue={user.username}
            error={errors.username}
          />
          <TextField
            label={t.email}
            name="email"
            type="email"
            required
            defaultValue={user.email}
            error={errors.email}
          />
          <Select
            label={t.role}
            name="role"
            defaultValue={user.role}
            options={grantable(user.role as Role)}
            error={errors.role}
          />
          <NumberField
            label={`${t.balance} (¥)`}
            hint={t.balanceHint}
            name="balance"
            min={0}
            step={0.01}
            required
            defaultValue={balance}
            error={errors.balance}
          />
          <Checkbox label={t.active} name="is_active" defaultChecked={user.is_active} />
        </>
      )}
    </Form>
  )
}
