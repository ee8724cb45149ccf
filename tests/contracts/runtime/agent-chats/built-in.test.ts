/** The agent without a language model: it carries out commands, says that it has no model, and asks before it deletes. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { nodes, tasks } from '../../../../src/db/schema/index.ts'
import { all, chatStream, expectRun } from '../../../support/chat.ts'
import { describedApi } from '../../../support/described.ts'
import { makeNode, makeTask, makeUser, unique } from '../../../support/factories.ts'
import { startServer } from '../../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const PATH = '/api/v1/agent-chats'
const say = async (token: string, message: string, session_id?: string) => {
  const answer = await ask('POST', PATH, { token, body: { message, session_id, timezone: 'Asia/Shanghai' } })
  expect(answer.status).toBe(200)
  return answer.body
}
const statusOf = async (token: string, id: number) =>
  (await ask('GET', `/api/tasks/${id}`, { token })).body.status

test('says plainly that there is no model, in the language that it is asked in', async () => {
  const { token } = await makeUser(server)
  expect((await say(token, '写一首诗')).output).toContain('没有配置语言模型')
  expect((await say(token, 'write a poem')).output).toContain('No language model is configured')
})

test('starts a task that is a real one, and lists it', async () => {
  const { token } = await makeUser(server)
  expect((await say(token, '启动一个测试任务，叫“夜间测试”')).output).toStartWith('任务已创建')
  const list = await ask('GET', '/api/tasks', { token })
  expect(list.body.items).toMatchObject([{ name: '夜间测试', status: 'pending' }])
  expect((await say(token, 'my tasks')).output).toContain('夜间测试 (test): pending')
})

test('sees only what the user may see', async () => {
  const owner = await makeUser(server)
  const other = await makeUser(server)
  const { id, title } = await makeTask(server, owner)
  expect((await say(other.token, 'my tasks')).output).not.toContain(title)
  expect((await say(other.token, `task ${id}`)).output).toStartWith('That did not work')
  expect((await say(other.token, `cancel task ${id}`)).output).toStartWith('That did not work')
  expect(await statusOf(owner.token, id)).toBe('pending')
})

test('the schedule: adds, lists in the time zone of the user, and deletes after a yes', async () => {
  const { token } = await makeUser(server)
  const added = await say(token, '2031年3月3日下午3点添加日程 牙医')
  expect(added.output).toContain('牙医')
  const [item] = (await ask('GET', '/api/v1/schedule-items', { token })).body
  expect(item).toMatchObject({
    title: '牙医',
    start_at: '2031-03-03T07:00:00.000Z',
    timezone: 'Asia/Shanghai',
  })
  const one = await ask('GET', `/api/v1/schedule-items/${item.id}`, { token })
  expect(one.body.source_type).toBe('agent')
  expect((await say(token, 'what is on my schedule on March 3, 2031?')).output).toContain('15:00 牙医')
  expect((await say(token, 'what is on my schedule on March 4, 2031?')).output).toBe(
    'Nothing is scheduled for Tue, 4 Mar 2031.',
  )
  const asked = await say(token, `删除日程 ${item.id}`)
  expect(asked.output).toContain('要删除日程“牙医”吗')
  expect((await say(token, '确认', asked.session_id)).output).toBe('日程已删除。')
  expect((await ask('GET', `/api/v1/schedule-items/${item.id}`, { token })).status).toBe(404)
})

test('a list of the schedule names its days, and leaves out what was cancelled', async () => {
  const { token } = await makeUser(server)
  for (const title of ['牙医', '聚餐']) {
    const { output } = await say(token, `2031年3月3日下午3点添加日程 ${title}`)
    expect(output).toContain('15:00')
  }
  const items = (await ask('GET', '/api/v1/schedule-items', { token })).body as {
    id: string
    title: string
  }[]
  const { id } = items.find(({ title }) => title === '聚餐')!
  await ask('PATCH', `/api/v1/schedule-items/${id}`, { token, body: { status: 'cancelled' } })
  const { output } = await say(token, '2031年3月3日到3月5日的日程')
  expect(output).toStartWith('2031/3/3周一至2031/3/5周三有 1 项安排')
  expect(output).not.toContain('聚餐')
})

test('what repeats is added as such, and said', async () => {
  const { token } = await makeUser(server)
  expect((await say(token, '每周一上午9点添加日程 例会')).output).toStartWith('已添加日程：每周')
  const [item] = (await ask('GET', '/api/v1/schedule-items', { token })).body
  expect(item).toMatchObject({ title: '例会', rrule: 'FREQ=WEEKLY' })
})

test('a reminder that is asked for is set, and said', async () => {
  const { token } = await makeUser(server)
  const weekly = await say(token, '每周五下午五点写周报，提前十分钟提醒我')
  expect(weekly.output).toContain('提前 10 分钟提醒')
  const once = await say(token, 'Remind me on March 3, 2031 at 9am to call Anna')
  expect(once.output).toStartWith('Added to your schedule: ')
  expect(once.output).toContain('call Anna, with a reminder at that time')
  const items = (await ask('GET', '/api/v1/schedule-items', { token })).body as Record<string, unknown>[]
  const shown = new Map(
    items.map(({ title, rrule, reminder_minutes }) => [title, { rrule, reminder_minutes }]),
  )
  expect(shown.get('写周报')).toEqual({ rrule: 'FREQ=WEEKLY', reminder_minutes: 10 })
  expect(shown.get('call Anna')).toEqual({ rrule: null, reminder_minutes: 0 })
})

test('what it can’t do it says, in both languages, and nothing happens', async () => {
  const owner = await makeUser(server)
  const { token } = owner
  const { id } = await makeTask(server, owner)
  for (const message of [
    'retry the failed tasks',
    'delete the clip I uploaded',
    `delete task ${id}`,
    'hi, delete my account',
  ]) {
    const { output, events } = await say(token, message)
    expect(output).toStartWith(
      'Sorry, I did not understand that, or I can’t do it, so nothing was done. No language model',
    )
    expect(events.map(({ type }: { type: string }) => type)).not.toContain('TOOL_CALL_START')
  }
  for (const message of ['重试失败的任务', '删除我上传的视频', `删除任务${id}`]) {
    expect((await say(token, message)).output).toMatch(
      /^抱歉，我没有理解这句话，或者做不到，所以什么都没有做。\S/,
    )
  }
  expect(await statusOf(token, id)).toBe('pending')
})

test('starts what the nodes offer by its name, and says what there is', async () => {
  const { ctx } = server
  const { node } = await makeNode(server)
  const type = unique('own_type')
  await ctx.db
    .update(nodes)
    .set({ taskTypes: [type] })
    .where(eq(nodes.id, node.id))
  const { token } = await makeUser(server)
  expect((await say(token, `start a ${type} task called night`)).output).toStartWith('Task created')
  expect((await say(token, `启动一个 ${type} 任务`)).output).toStartWith('任务已创建')
  const started = await ctx.db.select().from(tasks).where(eq(tasks.taskType, type)).orderBy(tasks.id)
  expect(started.map(({ title }) => title)).toEqual(['night', type])
  const unknown = await say(token, 'start a knitting task')
  expect(unknown.output).toStartWith(
    'Which type of task? Say its name; nothing was started yet. Types there are: ',
  )
  expect(unknown.output).toContain(type)
  expect((await say(token, '启动编织任务')).output).toContain('还没有启动任何任务。现有的类型：')
})

test('starts a video analysis of a URL', async () => {
  const { token } = await makeUser(server)
  const { output } = await say(token, 'start a video analysis of https://example.com/a.mp4')
  expect(output).toStartWith('Task created')
  const { items } = (await ask('GET', '/api/tasks', { token })).body
  const task = await ask('GET', `/api/tasks/${items[0].id}`, { token })
  expect(JSON.stringify(task.body)).toContain('"video_url":"https://example.com/a.mp4"')
})

test('a list that can’t be narrowed down as asked says so', async () => {
  const { token } = await makeUser(server)
  expect((await say(token, 'my tasks from yesterday')).output).toStartWith(
    'I can narrow tasks down only by status',
  )
  expect((await say(token, '昨天创建的测试任务')).output).toStartWith('我只能按状态筛选任务')
  expect((await say(token, 'my failed tasks')).output).toBe('There are no such tasks.')
})

test('GPU status and uploads', async () => {
  const { token } = await makeUser(server)
  expect((await say(token, 'GPU 状态')).output).toContain('在线')
  expect((await say(token, 'my uploads')).output).toContain('not uploaded')
})

describe('before it destroys', () => {
  test('the run ends with the question, and a yes does it', async () => {
    const owner = await makeUser(server)
    const { token } = owner
    const { id } = await makeTask(server, owner)
    const { events } = await chatStream(server, { token, message: `取消任务 ${id}` })
    const sent = (await all(events)).map(({ event }) => event)
    expectRun(sent)
    const call = sent.find(({ type }) => type === 'TOOL_CALL_START')
    expect(call).toMatchObject({ toolCallName: 'cancel_task', metadata: { effect: 'destroy' } })
    expect(sent.some(({ type }) => type === 'TOOL_CALL_RESULT')).toBe(false)
    const { outcome, threadId } = sent.at(-1)
    expect(outcome).toMatchObject({
      type: 'interrupt',
      interrupts: [{ id: call.toolCallId, toolCallId: call.toolCallId, reason: 'tool_call' }],
    })
    expect(outcome.interrupts[0].message).toContain(`任务 ${id}`)
    expect(await statusOf(token, id)).toBe('pending')
    expect((await say(token, '是', threadId)).output).toStartWith('任务已取消')
    expect(await statusOf(token, id)).toBe('cancelled')
    // A second yes has nothing to confirm.
    expect((await say(token, '是', threadId)).output).toContain('没有理解')
  })

  test('anything else leaves it, and is answered itself', async () => {
    const owner = await makeUser(server)
    const { token } = owner
    const { id } = await makeTask(server, owner)
    const first = await say(token, `cancel task ${id}`)
    const second = await say(token, 'no, show my tasks', first.session_id)
    expect(second.output).toContain('nothing was done')
    expect(second.output).toContain(`#${id}`)
    await say(token, 'yes', first.session_id)
    expect(await statusOf(token, id)).toBe('pending')
    await say(token, `cancel task ${id}`, first.session_id)
    const third = await say(token, `don't cancel task ${id}`, first.session_id)
    expect(third.output.trim()).toBe('All right, nothing was done.')
    expect(await statusOf(token, id)).toBe('pending')
  })

  test('a yes in another session, or of another user, confirms nothing', async () => {
    const owner = await makeUser(server)
    const { id } = await makeTask(server, owner)
    const { session_id } = await say(owner.token, `cancel task ${id}`)
    await say(owner.token, 'yes')
    const theirs = await ask('POST', PATH, {
      token: (await makeUser(server)).token,
      body: { message: 'yes', session_id },
    })
    expect(theirs.status).toBe(404)
    expect(await statusOf(owner.token, id)).toBe('pending')
  })

  test('what has become impossible meanwhile is said', async () => {
    const owner = await makeUser(server)
    const { token } = owner
    const { id } = await makeTask(server, owner)
    const { session_id } = await say(token, `cancel task ${id}`)
    await ask('POST', `/api/tasks/${id}/cancel`, { token })
    expect((await say(token, 'yes', session_id)).output).toStartWith('That did not work')
  })
})
