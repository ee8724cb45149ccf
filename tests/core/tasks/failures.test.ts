import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { taskEvent } from '../../../src/core/tasks/events.ts'
import { type FailureCode, failure, failureText, reportedFailure } from '../../../src/core/tasks/failures.ts'
import { settleTask } from '../../../src/core/tasks/settlement.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { taskLogs, tasks } from '../../../src/db/schema/index.ts'
import { wordedData } from '../../../src/live/events/wording.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, openNode, TestSocket } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

const CHINESE = /[\u4e00-\u9fff]/
const show = async (owner: TestUser, id: number, language?: string) =>
  (
    await api(server, 'GET', `/api/tasks/${id}`, {
      token: owner.token,
      ...(language && { headers: { 'accept-language': language } }),
    })
  ).body as Frame

describe('texts of failures', () => {
  const params = { detail: 'CUDA', exitCode: 3, signal: 'SIGKILL', seconds: 60, limit: 9, name: 'gpu-1' }
  test.each<FailureCode>([
    'exited',
    'killed',
    'timed_out',
    'cancelled',
    'result_invalid',
    'result_too_large',
    'result_too_deep',
    'node_restarted',
    'node_replaced',
    'node_gave_back',
    'node_silent',
    'node_offline',
    'node_disconnected',
    'node_removed',
    'cannot_start',
    'time_limit',
    'refused',
    'log_limit',
  ])('%s is said in both languages, with all that it names', (code) => {
    const [zh, en] = [failureText({ code, params }, 'zh'), failureText({ code, params }, 'en')]
    expect(zh).toMatch(CHINESE)
    expect(en).not.toMatch(CHINESE)
    for (const text of [zh, en]) expect(text).not.toMatch(/[{}]|undefined/)
  })

  test('the text of a task stays as it is, and its exit code follows it', () => {
    const said = reportedFailure({ error: 'RuntimeError: 显存不足 $& {x}', exitCode: 1 })
    expect(failureText(said, 'zh')).toBe('RuntimeError: 显存不足 $& {x}（退出码 1）')
    expect(failureText(said, 'en')).toBe('RuntimeError: 显存不足 $& {x} (exit code 1)')
    expect(failureText(reportedFailure({ error: 'plain words' }), 'zh')).toBe('plain words')
  })

  test.each([
    [{ code: 'exited', exitCode: 3 }, 'The program ended with exit code 3'],
    [{ code: 'exited', signal: 'SIGSEGV' }, 'The program was ended by the signal SIGSEGV'],
    [{ code: 'timed_out', seconds: 5 }, 'The program ran for more than 5 seconds and was stopped'],
    // A code without its parameters, or a code that this server does not know, is ignored.
    [{ code: 'timed_out' }, 'own words'],
    [{ code: 'exited' }, 'own words'],
    [{ code: 'constructor' }, 'own words'],
  ])('%o', (report, text) => {
    expect(failureText(reportedFailure({ error: 'own words', ...report }), 'en')).toBe(text)
  })
})

describe('a failed task', () => {
  test('says why in the language of the reader, and its exit code, over REST and live', async () => {
    const owner = await makeUser(server)
    const type = unique('type_')
    const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const listen = (language: string) =>
      TestSocket.open(`${server.wsUrl}/ws/connect?token=${owner.token}&cursor=${ctx.epoch}.0`, {
        'accept-language': language,
      })
    const [zh, en] = [await listen('zh-CN,zh;q=0.9'), await listen('en')]
    const { task_id, attempt } = await node.next('assign')
    node.send({ type: 'accept', task_id, attempt })
    node.send({
      type: 'failed',
      task_id,
      attempt,
      error: 'exited with code 137',
      code: 'exited',
      exit_code: 137,
    })
    await node.next('ack')
    const texts = { zh: '任务程序已退出，退出码 137', en: 'The program ended with exit code 137' }
    const fields = { failure_code: 'exited', exit_code: 137 }
    for (const [socket, text] of [
      [zh, texts.zh],
      [en, texts.en],
    ] as const) {
      expect((await socket.next('task.failed')).data).toMatchObject({ error_message: text, ...fields })
    }
    // From the log, after the tail is gone.
    const late = await listen('zh')
    expect((await late.next('task.failed')).data.error_message).toBe(texts.zh)
    for (const [language, text] of Object.entries(texts)) {
      const page = await api(server, 'GET', `/api/events?cursor=${ctx.epoch}.0`, {
        token: owner.token,
        headers: { 'accept-language': language },
      })
      const failed = page.body.events.find((event: Frame) => event.type === 'task.failed')
      expect(failed.data).toMatchObject({ error_message: text, ...fields })
    }
    for (const [language, text] of [
      [undefined, texts.zh],
      ['en', texts.en],
    ] as const) {
      const body = await show(owner, task.id, language)
      expect(body.error_message).toBe(text)
      expect(body.data).toMatchObject({ error_message: text, ...fields })
      const list = await api(server, 'GET', '/api/tasks', {
        token: owner.token,
        ...(language && { headers: { 'accept-language': language } }),
      })
      expect(list.body.items[0].error_message).toBe(text)
      expect(list.body.data.items[0]).toMatchObject({ error_message: text, ...fields })
    }
    // A retried task has not failed.
    const retried = await api(server, 'POST', `/api/tasks/${task.id}/retry`, { token: owner.token })
    expect(retried.body.data).toMatchObject({ error_message: null, failure_code: null, exit_code: null })
    for (const socket of [zh, en, late, node]) socket.close()
  })

  test('lost by its nodes says so, with the number of tries, and so does its log', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner, { taskType: unique('type_') })
    const why = failure('node_offline', { name: 'gpu-7', attempt: 3, attempts: 3 })
    await transaction(ctx, async (tx) => {
      const [row] = await tx.db.select().from(tasks).where(eq(tasks.id, task.id)).for('update')
      const ended = await settleTask(tx, row!, { status: 'failed', failure: why, charge: false })
      tx.emit(owner.user.id, 'task.failed', { ...taskEvent(ended), failure: why, costMinor: 0 })
    })
    const { code, params } = failure('node_offline', { name: 'gpu-7' })
    const note = { taskId: task.id, attempt: 0, level: 'WARNING', message: 'as it was', code, params }
    await ctx.db
      .insert(taskLogs)
      .values([note, { taskId: task.id, attempt: 0, level: 'INFO', message: '任务 said' }])
    const zh = await show(owner, task.id)
    expect(zh.error_message).toBe('GPU 服务器 gpu-7 已离线（第 3 次尝试，共 3 次）')
    expect(zh.logs.map((line: Frame) => line.message)).toEqual(['GPU 服务器 gpu-7 已离线', '任务 said'])
    expect(Object.keys(zh.logs[0]).sort()).toEqual(['created_at', 'id', 'level', 'message'])
    const en = await show(owner, task.id, 'en')
    expect(en.error_message).toBe('The GPU server gpu-7 went offline (attempt 3 of 3)')
    expect(en.logs.map((line: Frame) => line.message)).toEqual([
      'The GPU server gpu-7 went offline',
      '任务 said',
    ])
  })

  test('without a code, or with a code of a newer server, is shown as it was stored', async () => {
    const owner = await makeUser(server)
    for (const failureCode of [null, 'of_tomorrow', 'constructor']) {
      const task = await makeTask(server, owner, { taskType: unique('type_') })
      const old = { status: 'failed' as const, errorMessage: 'The node did not answer', failureCode }
      await ctx.db.update(tasks).set(old).where(eq(tasks.id, task.id))
      expect((await show(owner, task.id)).error_message).toBe('The node did not answer')
    }
  })
})

describe('events', () => {
  const data = JSON.stringify({
    task_id: 'x',
    reason: 'The node did not answer',
    reason_code: 'node_silent',
    reason_params: {},
    result: 1,
  })
  test('are in the language of the reader where they have a text, and otherwise exactly the text of the log', () => {
    expect(JSON.parse(wordedData({ type: 'task.requeued', data }, 'zh'))).toEqual({
      ...JSON.parse(data),
      reason: '节点没有响应',
    })
    expect(wordedData({ type: 'task.requeued', data }, 'en')).toBe(data)
    expect(wordedData({ type: 'task.created', data }, 'zh')).toBe(data)
    const retry = '{"reason": "retry"}'
    expect(wordedData({ type: 'task.requeued', data: retry }, 'zh')).toBe(retry)
    const old = '{"error_message": "The node did not answer", "cost": 0}'
    expect(wordedData({ type: 'task.failed', data: old }, 'zh')).toBe(old)
  })
})
