/** The user's own account: profile, password, and where they are signed in. */
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { roleName } from '../../lib/roles.ts'
import { api, me } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Card, Facts, PageHead } from '../../ui/parts.tsx'
import { Sessions } from './sessions.tsx'

const t = texts({
  en: {
    title: 'Account',
    profile: 'Profile',
    name: 'Name',
    username: 'Username',
    email: 'Email',
    role: 'Role',
    save: 'Save',
    saved: 'Saved.',
    password: 'Password',
    current: 'Current password',
    next: 'New password',
    change: 'Change the password',
    changed: 'The password is changed. Your other sessions have ended.',
  },
  zh: {
    title: '账户',
    profile: '个人资料',
    name: '姓名',
    username: '用户名',
    email: '邮箱',
    role: '角色',
    save: '保存',
    saved: '已保存。',
    password: '密码',
    current: '当前密码',
    next: '新密码',
    change: '修改密码',
    changed: '密码已修改，其他登录均已结束。',
  },
})

export default function Account() {
  return (
    <>
      <PageHead title={t.title} />
      <div class="grid-cards">
        {me.value && <Profile key={me.value.id} />}
        <Password />
      </div>
      <Sessions />
    </>
  )
}

const Profile = () => (
  <Card title={t.profile}>
    <Facts
      facts={[
        [t.email, me.value!.email],
        [t.role, roleName[me.value!.role]],
      ]}
    />
    <Form
      submit={t.save}
      onSubmit={async ({ full_name = '', username = '' }) => {
        await dataOf(api().factory.users.me.put({ full_name, username }))
        showToast('good', t.saved)
      }}
    >
      {(errors) => (
        <>
          <TextField
            label={t.name}
            name="full_name"
            autoComplete="name"
            defaultValue={me.value!.full_name}
            required
            maxLength={100}
            error={errors.full_name}
          />
          <TextField
            label={t.username}
            name="username"
            autoComplete="username"
            defaultValue={me.value!.username}
            required
            minLength={3}
            maxLength={30}
            error={errors.username}
          />
        </>
      )}
    </Form>
  </Card>
)

const Password = () => (
  <Card title={t.password}>
    <Form
      submit={t.change}
      onSubmit={async ({ current_password = '', new_password = '' }, form) => {
        await dataOf(api().study.user.password.put({ current_password, new_password }))
        form.reset()
        showToast('good', t.changed)
      }}
    >
      {(errors) => (
        <>
          <PasswordField label={t.current} name="current_password" error={errors.current_password} />
          <PasswordField label={t.next} name="new_password" isNew error={errors.new_password} />
        </>
      )}
    </Form>
  </Card>
)
