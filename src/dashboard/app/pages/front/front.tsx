/** What somebody sees who is not signed in: sign in, sign up, reset the password. */
import { signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import icon from '../../icon.svg'
import { texts } from '../../lib/language.ts'
import { anonymous, beginWith, endedBecause, signIn } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { Preferences } from '../../shell.tsx'
import { Button } from '../../ui/button.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { Form } from '../../ui/form.tsx'
import { Card, PageHead } from '../../ui/parts.tsx'

const t = texts({
  en: {
    signIn: 'Sign in',
    signUp: 'Create an account',
    reset: 'Reset the password',
    forgotten: 'Forgotten your password?',
    toSignUp: 'No account yet? Create one',
    toSignIn: 'Back to the sign-in',
    login: 'Email or username',
    email: 'Email',
    username: 'Username',
    usernameHint: '3 to 30 characters',
    password: 'Password',
    newPassword: 'New password',
    invite: 'Invite code',
    optional: 'Optional',
    code: 'Code from the mail',
    codeHint: (email: string) =>
      `A mail with a code of six digits is on its way to ${email}. The code is valid for ten minutes.`,
    sendCode: 'Mail me a code',
    again: 'Send another code',
    sent: 'A new code is on its way.',
    filesHint:
      'This server sends no mail. It writes each mail as a file to the folder “outbox” in its data folder, such as data/outbox. The newest file has the code.',
    firstStart:
      'A new server? The first start has printed the administrator’s email and password in the terminal.',
    confirm: 'Confirm',
    setPassword: 'Set the password',
    changed: 'The password is changed. Sign in with it.',
    signed_out: 'You are signed out.',
    ended: 'Your session has ended: it has expired, or was ended from elsewhere. Sign in again.',
    inactive: 'An administrator has deactivated this account.',
  },
  zh: {
    signIn: '登录',
    signUp: '注册账户',
    reset: '重置密码',
    forgotten: '忘记密码？',
    toSignUp: '还没有账户？立即注册',
    toSignIn: '返回登录',
    login: '邮箱或用户名',
    email: '邮箱',
    username: '用户名',
    usernameHint: '3 到 30 个字符',
    password: '密码',
    newPassword: '新密码',
    invite: '邀请码',
    optional: '选填',
    code: '邮件中的验证码',
    codeHint: (email: string) => `六位验证码已发送至 ${email}，十分钟内有效。`,
    sendCode: '发送验证码',
    again: '重新发送验证码',
    sent: '新的验证码已发送。',
    filesHint:
      '此服务器不发送邮件，而是把邮件写入数据目录下的 outbox 文件夹（例如 data/outbox）。验证码在最新的文件里。',
    firstStart: '刚装好的服务器？首次启动时，管理员的邮箱和密码会显示在终端里。',
    confirm: '确认',
    setPassword: '设置密码',
    changed: '密码已修改，请用新密码登录。',
    signed_out: '已退出登录。',
    ended: '登录已过期或已在别处结束，请重新登录。',
    inactive: '此账户已被管理员停用。',
  },
})

/** Mail goes to files on a server that nobody has set up for more. */
const writesFiles = signal(false)

async function askForMail(): Promise<void> {
  const { data } = await anonymous.runtime.infra.health.get()
  writesFiles.value = data?.services.mail.kind === 'files'
}

type Step = 'signIn' | 'signUp' | 'verify' | 'reset' | 'newPassword'

export function Front() {
  const step = useSignal<Step>('signIn')
  const email = useSignal('')
  useEffect(() => void askForMail(), [])
  const isFirst = useRef(true)
  useEffect(() => {
    if (!isFirst.current) document.querySelector<HTMLElement>('.front input')?.focus()
    isFirst.current = false
  }, [step.value])
  const go = (next: Step) => () => {
    step.value = next
  }
  const withEmail = (next: Step) => (address: string) => {
    email.value = address
    step.value = next
  }
  return (
    <main class="front">
      <div class="front-card">
        <div class="row">
          <span class="front-brand grow">
            <img src={icon} alt="" /> Roost
          </span>
          <Preferences />
        </div>
        {endedBecause.value && step.value === 'signIn' && (
          <p class="notice warn" role="status">
            {t[endedBecause.value]}
          </p>
        )}
        <Card>
          {step.value === 'signIn' && <SignIn onReset={go('reset')} onSignUp={go('signUp')} />}
          {step.value === 'signUp' && <SignUp onDone={withEmail('verify')} />}
          {step.value === 'verify' && <Verify email={email.value} />}
          {step.value === 'reset' && <RequestReset onDone={withEmail('newPassword')} />}
          {step.value === 'newPassword' && <NewPassword email={email.value} onDone={go('signIn')} />}
          {step.value !== 'signIn' && (
            <Button kind="plain" onClick={go('signIn')}>
              {t.toSignIn}
            </Button>
          )}
        </Card>
      </div>
    </main>
  )
}

const SignIn = ({ onReset, onSignUp }: { onReset: () => void; onSignUp: () => void }) => (
  <>
    <PageHead title={t.signIn} />
    <Form submit={t.signIn} onSubmit={({ login = '', password = '' }) => signIn(login, password)}>
      {(errors) => (
        <>
          <TextField
            label={t.login}
            name="login"
            autoComplete="username"
            required
            maxLength={254}
            error={errors.login}
          />
          <PasswordField label={t.password} name="password" error={errors.password} />
        </>
      )}
    </Form>
    <Button kind="plain" onClick={onReset}>
      {t.forgotten}
    </Button>
    <Button kind="plain" onClick={onSignUp}>
      {t.toSignUp}
    </Button>
    {writesFiles.value && <p class="small muted">{t.firstStart}</p>}
  </>
)

const SignUp = ({ onDone }: { onDone: (email: string) => void }) => (
  <>
    <PageHead title={t.signUp} />
    <Form
      submit={t.sendCode}
      onSubmit={async ({ username = '', email = '', password = '', invite_code }) => {
        await dataOf(
          anonymous.runtime.auth.verifications.post({
            username,
            email,
            password,
            ...(invite_code && { invite_code }),
          }),
        )
        onDone(email)
      }}
    >
      {(errors) => (
        <>
          <TextField
            label={t.username}
            name="username"
            hint={t.usernameHint}
            autoComplete="username"
            required
            minLength={3}
            maxLength={30}
            error={errors.username}
          />
          <TextField
            label={t.email}
            name="email"
            type="email"
            autoComplete="email"
            required
            error={errors.email}
          />
          <PasswordField label={t.password} name="password" isNew error={errors.password} />
          <TextField label={t.invite} name="invite_code" hint={t.optional} error={errors.invite_code} />
        </>
      )}
    </Form>
  </>
)

const CodeField = ({ email, error }: { email: string; error: string | undefined }) => (
  <TextField
    label={t.code}
    name="token"
    hint={writesFiles.value ? t.filesHint : t.codeHint(email)}
    inputMode="numeric"
    autoComplete="one-time-code"
    pattern="[0-9]{6}"
    required
    maxLength={6}
    error={error}
  />
)

const Verify = ({ email }: { email: string }) => (
  <>
    <PageHead title={t.signUp} />
    <Form
      submit={t.confirm}
      onSubmit={async ({ token = '' }) =>
        beginWith(await dataOf(anonymous.runtime.auth.verifications.verify.post({ email, token })))
      }
      actions={
        <Button
          onClick={async () => {
            await dataOf(anonymous.runtime.auth.verifications.resend.post({ email }))
            showToast('good', t.sent)
          }}
        >
          {t.again}
        </Button>
      }
    >
      {(errors) => <CodeField email={email} error={errors.token} />}
    </Form>
  </>
)

const RequestReset = ({ onDone }: { onDone: (email: string) => void }) => (
  <>
    <PageHead title={t.reset} />
    <Form
      submit={t.sendCode}
      onSubmit={async ({ email = '' }) => {
        await dataOf(anonymous.runtime.auth['password-reset'].post({ email }))
        onDone(email)
      }}
    >
      {(errors) => (
        <TextField
          label={t.email}
          name="email"
          type="email"
          autoComplete="email"
          required
          error={errors.email}
        />
      )}
    </Form>
  </>
)

const NewPassword = ({ email, onDone }: { email: string; onDone: () => void }) => (
  <>
    <PageHead title={t.reset} />
    <Form
      submit={t.setPassword}
      onSubmit={async ({ token = '', new_password = '' }) => {
        await dataOf(anonymous.runtime.auth['password-reset'].confirm.post({ email, token, new_password }))
        showToast('good', t.changed)
        onDone()
      }}
    >
      {(errors) => (
        <>
          <CodeField email={email} error={errors.token} />
          <PasswordField label={t.newPassword} name="new_password" isNew error={errors.new_password} />
        </>
      )}
    </Form>
  </>
)
