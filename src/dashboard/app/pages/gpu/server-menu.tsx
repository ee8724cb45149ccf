/** What administrators do with a GPU server. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { confirm, Dialog } from '../../ui/dialog.tsx'
import { NumberField, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { Copyable } from '../../ui/parts.tsx'
import type { Server } from './model.ts'

const t = texts({
  en: {
    create: 'New server',
    edit: 'Edit',
    drain: 'Drain',
    back: 'Take back into service',
    rotate: 'New token',
    delete: 'Delete',
    named: (action: string, name: string) => `${action}: ${name}`,
    name: 'Name',
    host: 'Host',
    hostHint: 'For administrators. The server never connects to it.',
    max: 'Tasks at a time',
    maxHint: 'The node program names its own number when it connects.',
    save: 'Save',
    token: 'The token of the server',
    once: 'Copy it now: it is shown only once.',
    start: 'Start the node program in a copy of Roost on the machine with the GPUs:',
    done: 'Done',
    rotateTitle: 'Replace the token?',
    rotateText: (name: string) => `“${name}” is cut off until its node program has the new token.`,
    deleteTitle: 'Delete this server?',
    deleteText: (name: string) => `“${name}” is cut off, and its tasks go back to the queue.`,
  },
  zh: {
    create: '新建服务器',
    edit: '编辑',
    drain: '排空',
    back: '重新启用',
    rotate: '更换令牌',
    delete: '删除',
    named: (action: string, name: string) => `${action}：${name}`,
    name: '名称',
    host: '主机',
    hostHint: '仅供管理员参考，系统不会主动连接它。',
    max: '同时运行的任务数',
    maxHint: '节点程序连接时会报告自己的数量。',
    save: '保存',
    token: '服务器令牌',
    once: '请立即复制，令牌只显示一次。',
    start: '在装有 GPU 的机器上，于 Roost 目录中启动节点程序：',
    done: '完成',
    rotateTitle: '更换令牌？',
    rotateText: (name: string) => `在节点程序使用新令牌之前，“${name}”会断开连接。`,
    deleteTitle: '删除此服务器？',
    deleteText: (name: string) => `“${name}”会断开连接，其任务将回到队列。`,
  },
})

const servers = () => api().factory.gpu.servers

export function NewServer({ onChange }: { onChange: () => void }) {
  const shown = useSignal<'form' | { token: string } | undefined>(undefined)
  const close = () => {
    shown.value = undefined
  }
  const create = async (values: ServerValues) => {
    const { data } = await dataOf(servers().post(values))
    shown.value = { token: data.node_token }
    onChange()
  }
  return (
    <>
      <Button
        kind="primary"
        icon="plus"
        onClick={() => {
          shown.value = 'form'
        }}
      >
        {t.create}
      </Button>
      {shown.value === 'form' && <ServerForm title={t.create} onSave={create} onClose={close} />}
      {typeof shown.value === 'object' && <Token token={shown.value.token} onClose={close} />}
    </>
  )
}

export function ServerMenu({ server, onChange }: { server: Server; onChange: () => void }) {
  const shown = useSignal<'form' | { token: string } | undefined>(undefined)
  const close = () => {
    shown.value = undefined
  }
  const { id: server_id, name } = server
  const one = () => servers()({ server_id })
  const isDraining = server.status === 'draining'
  const drain = async () => {
    await dataOf(isDraining ? one().put({ draining: false }) : one().drain.post())
    onChange()
  }
  const rotate = async () => {
    if (!(await confirm(t.rotateTitle, { text: t.rotateText(name), yes: t.rotate }))) return
    const { data } = await dataOf(one()['rotate-token'].post())
    shown.value = { token: data.node_token }
  }
  const remove = async () => {
    if (!(await confirm(t.deleteTitle, { text: t.deleteText(name), yes: t.delete }))) return
    await dataOf(one().delete())
    onChange()
  }
  const change = async (values: ServerValues) => {
    await dataOf(one().put(changed(values, server)))
    close()
    onChange()
  }
  return (
    <>
      <span class="row server-menu">
        <IconButton
          icon={isDraining ? 'play' : 'pause'}
          kind="plain"
          label={t.named(isDraining ? t.back : t.drain, name)}
          onClick={drain}
        />
        <IconButton
          icon="edit"
          kind="plain"
          label={t.named(t.edit, name)}
          onClick={() => {
            shown.value = 'form'
          }}
        />
        <IconButton icon="retry" kind="plain" label={t.named(t.rotate, name)} onClick={rotate} />
        <IconButton icon="trash" kind="plain" label={t.named(t.delete, name)} onClick={remove} />
      </span>
      {shown.value === 'form' && (
        <ServerForm title={t.named(t.edit, name)} server={server} onSave={change} onClose={close} />
      )}
      {typeof shown.value === 'object' && <Token token={shown.value.token} onClose={close} />}
    </>
  )
}

interface ServerValues {
  name: string
  host: string
  max_concurrent_tasks: number
}

interface FormProps {
  title: string
  server?: Server
  onSave: (values: ServerValues) => Promise<void>
  onClose: () => void
}

const ServerForm = ({ title, server, onSave, onClose }: FormProps) => (
  <Dialog title={title} onClose={onClose}>
    <Form
      submit={t.save}
      onSubmit={({ name = '', host = '', max_concurrent_tasks }: Values) =>
        onSave({ name, host, max_concurrent_tasks: Number(max_concurrent_tasks) })
      }
    >
      {(errors) => (
        <>
          <TextField
            label={t.name}
            name="name"
            required
            maxLength={100}
            defaultValue={server?.name}
            error={errors.name}
          />
          <TextField
            label={t.host}
            hint={t.hostHint}
            name="host"
            required
            maxLength={255}
            defaultValue={server?.host}
            error={errors.host}
          />
          <NumberField
            label={t.max}
            hint={t.maxHint}
            name="max_concurrent_tasks"
            min={1}
            max={1000}
            required
            defaultValue={server?.max_concurrent_tasks ?? 1}
            error={errors.max_concurrent_tasks}
          />
        </>
      )}
    </Form>
  </Dialog>
)

const Token = ({ token, onClose }: { token: string; onClose: () => void }) => (
  <Dialog title={t.token} wide onClose={onClose}>
    <p>{t.once}</p>
    <Copyable text={token} />
    <p>{t.start}</p>
    <Copyable text={`ROOST_NODE_TOKEN=${token} npx -y bun run node --server ${location.origin}`} />
    <div class="dialog-actions">
      <Button kind="primary" onClick={onClose}>
        {t.done}
      </Button>
    </div>
  </Dialog>
)
