import { useSignal } from '@preact/signals'
import { dataOf, RoostError } from '../../../../client/index.ts'
import { count, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, navigate } from '../../lib/router.ts'
import { api, me } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Checkbox, NumberField, Select, TextArea, TextField } from '../../ui/field.tsx'
import { Form, type Values } from '../../ui/form.tsx'
import { Card, Loaded } from '../../ui/parts.tsx'
import { parseExact } from './exact-json.ts'

const t = texts({
  en: {
    type: 'What it runs',
    offered: (n: number) => (n === 1 ? '1 server' : `${n} servers`),
    nowhere: 'no server at the moment',
    free: 'free',
    perMinute: (price: string) => `${price} a minute`,
    other: 'Another type…',
    otherType: 'Name of the type',
    otherHint:
      'Small letters, digits and _ . - as the GPU servers name it. The task waits until one offers it.',
    title: 'Title',
    description: 'Description',
    priority: 'Priority',
    priorityHint: '0 to 10. Higher ones run first.',
    minutes: 'Estimated duration, in minutes',
    minutesHint: 'Decides how much money is held. Without it: 30 minutes.',
    create: 'Create the task',
    config: 'Configuration',
    json: 'Configuration as JSON',
    jsonHint: 'An object, which the task gets as it is. Whole numbers stay exact at any size.',
    notJson: (why: string) => `This is not valid JSON: ${why}`,
    notObject: 'The configuration must be a JSON object, such as {"name": "value"}.',
    seconds: 'Seconds that it takes',
    steps: 'Steps',
    fail: 'Fail at the end',
    videoUrl: 'Address of the video',
    analysis: 'Kind of analysis',
    costs: 'What it costs',
    isFree: 'This task is free.',
    holds: (sum: string, price: string, minutes: string) =>
      `${price} for each minute of running. ${sum} (${minutes} min) is held until the task ends; it never costs more, and what is left comes back.`,
    remains: (before: string, after: string) => `You have ${before} available, and ${after} while it runs.`,
    lacks: (sum: string) => `Your available balance is ${sum} short.`,
    redeem: 'Add money',
  },
  zh: {
    type: '运行内容',
    offered: (n: number) => `${n} 台服务器`,
    nowhere: '暂无服务器',
    free: '免费',
    perMinute: (price: string) => `每分钟 ${price}`,
    other: '其他类型…',
    otherType: '类型名称',
    otherHint: '小写字母、数字和 _ . -，与 GPU 服务器上的名称一致。任务会等待提供该类型的服务器。',
    title: '标题',
    description: '说明',
    priority: '优先级',
    priorityHint: '0 到 10，数值高的先运行。',
    minutes: '预计时长（分钟）',
    minutesHint: '决定冻结的金额，不填则按 30 分钟计算。',
    create: '创建任务',
    config: '配置',
    json: 'JSON 配置',
    jsonHint: '一个对象，会原样传给任务。任意大小的整数都保持精确。',
    notJson: (why: string) => `不是有效的 JSON：${why}`,
    notObject: '配置必须是 JSON 对象，例如 {"name": "value"}。',
    seconds: '耗时（秒）',
    steps: '步数',
    fail: '最后失败',
    videoUrl: '视频地址',
    analysis: '分析类型',
    costs: '费用',
    isFree: '此任务免费。',
    holds: (sum: string, price: string, minutes: string) =>
      `每运行一分钟 ${price}。任务结束前冻结 ${sum}（${minutes} 分钟），费用不会超出，多余部分会退回。`,
    remains: (before: string, after: string) => `可用余额 ${before}，运行期间为 ${after}。`,
    lacks: (sum: string) => `可用余额还差 ${sum}。`,
    redeem: '去充值',
  },
})

interface TaskType {
  task_type: string
  price: number
  servers: number
}

/** The server's estimate for a task without one: docs/design.md, "Money". */
const DEFAULT_MINUTES = 30
const OTHER = ' '
/** Types whose configuration has a form of its own. */
const FORMS = ['test', 'video_analysis']

/** The cheapest one that a server offers now. */
const firstChoice = (types: TaskType[]): TaskType | undefined =>
  types.toSorted((a, b) => Number(b.servers > 0) - Number(a.servers > 0) || a.price - b.price)[0]

export function NewGpuTask() {
  const types = useView<TaskType[]>({
    load: async (signal) => (await dataOf(api().factory.gpu['task-types'].get({ signal }))).data,
  })
  return (
    <Card>
      <Loaded view={types} lines={8}>
        {(types) => <GpuForm types={types} />}
      </Loaded>
    </Card>
  )
}

function GpuForm({ types }: { types: TaskType[] }) {
  const chosen = useSignal(firstChoice(types)?.task_type ?? OTHER)
  const otherType = useSignal('')
  const minutes = useSignal('')
  const isOther = chosen.value === OTHER
  const type = isOther ? otherType.value : chosen.value

  const create = async (values: Values) => {
    const { data } = await dataOf(
      api().factory.tasks.post({
        title: values.title!,
        ...(values.description && { description: values.description }),
        task_type: type,
        priority: Number(values.priority ?? 0),
        ...(minutes.value && { estimated_duration: Number(minutes.value) }),
        config: configOf(type, values),
      }),
    )
    navigate(href(`/tasks/${data.id}`), { from: '/tasks/new' })
  }

  return (
    <Form submit={t.create} onSubmit={create}>
      {(errors) => (
        <>
          <div class="fields">
            <Select
              label={t.type}
              name={isOther ? '' : 'task_type'}
              value={chosen.value}
              error={isOther ? undefined : errors.task_type}
              options={[...types.map((one) => [one.task_type, optionOf(one)] as const), [OTHER, t.other]]}
              onChange={(event) => {
                chosen.value = event.currentTarget.value
              }}
            />
            {isOther && (
              <TextField
                label={t.otherType}
                hint={t.otherHint}
                name="task_type"
                required
                pattern="[a-z][a-z0-9_.\-]{0,49}"
                value={otherType.value}
                error={errors.task_type}
                onInput={(event) => {
                  otherType.value = event.currentTarget.value
                }}
              />
            )}
            <TextField label={t.title} name="title" required maxLength={255} error={errors.title} />
          </div>
          <Config key={FORMS.includes(type) ? type : 'json'} type={type} errors={errors} />
          <div class="fields">
            <NumberField
              label={t.minutes}
              hint={t.minutesHint}
              name="estimated_duration"
              min={1}
              max={100_000}
              value={minutes.value}
              error={errors.estimated_duration}
              onInput={(event) => {
                minutes.value = event.currentTarget.value
              }}
            />
            <NumberField
              label={t.priority}
              hint={t.priorityHint}
              name="priority"
              min={0}
              max={10}
              defaultValue={0}
              error={errors.priority}
            />
          </div>
          <TextArea label={t.description} name="description" maxLength={5000} error={errors.description} />
          <Costs
            price={types.find(({ task_type }) => task_type === type)?.price ?? 0}
            minutes={Number(minutes.value) || DEFAULT_MINUTES}
          />
        </>
      )}
    </Form>
  )
}

const optionOf = ({ task_type, price, servers }: TaskType): string =>
  [
    task_type,
    price > 0 ? t.perMinute(money(price)) : t.free,
    servers > 0 ? t.offered(servers) : t.nowhere,
  ].join(' · ')

function Config({ type, errors }: { type: string; errors: Record<string, string> }) {
  if (type === 'test') {
    return (
      <fieldset class="fields">
        <legend class="hidden-text">{t.config}</legend>
        <NumberField label={t.seconds} name="duration_seconds" min={0} max={3600} defaultValue={20} />
        <NumberField label={t.steps} name="steps" min={1} max={1000} defaultValue={20} />
        <Checkbox label={t.fail} name="fail" />
        {errors.config && <p class="notice bad">{errors.config}</p>}
      </fieldset>
    )
  }
  if (type === 'video_analysis') {
    return (
      <fieldset class="fields">
        <legend class="hidden-text">{t.config}</legend>
        <TextField label={t.videoUrl} name="video_url" type="url" required error={errors.config} />
        <TextField label={t.analysis} name="analysis_type" defaultValue="content" />
      </fieldset>
    )
  }
  return (
    <TextArea
      label={t.json}
      hint={t.jsonHint}
      name="config"
      class="mono"
      rows={6}
      spellcheck={false}
      defaultValue="{}"
      error={errors.config}
    />
  )
}

/** @throws RoostError with what is wrong with the JSON */
function configOf(type: string, values: Values): Record<string, unknown> {
  if (type === 'test') {
    return {
      duration_seconds: Number(values.duration_seconds),
      steps: Number(values.steps),
      ...(values.fail && { fail: true }),
    }
  }
  if (type === 'video_analysis') {
    return { video_url: values.video_url, analysis_type: values.analysis_type || 'content' }
  }
  let config: unknown
  try {
    config = parseExact(values.config?.trim() || '{}')
  } catch (error) {
    throw invalidConfig(t.notJson((error as Error).message))
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) throw invalidConfig(t.notObject)
  return config as Record<string, unknown>
}

const invalidConfig = (text: string) => new RoostError(422, 'VALIDATION_ERROR', text, { config: text })

function Costs({ price, minutes }: { price: number; minutes: number }) {
  if (price === 0) return <p class="notice">{t.isFree}</p>
  // In whole cents, because a product of binary fractions may be a trace above the balance.
  const held = Math.round(price * minutes * 100) / 100
  const available = me.value?.available_balance ?? 0
  const lack = held - available
  return (
    <div class={`notice ${lack > 0 ? 'warn' : ''}`} role="status" aria-label={t.costs}>
      <span class="grow">
        {t.holds(money(held), money(price), count(minutes))}{' '}
        {lack > 0 ? <strong>{t.lacks(money(lack))}</strong> : t.remains(money(available), money(-lack))}
      </span>
      {lack > 0 && <a href={href('/balance')}>{t.redeem}</a>}
    </div>
  )
}
