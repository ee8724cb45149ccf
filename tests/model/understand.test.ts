/** What the built-in agent understands, in both languages. Each line is a plausible message of a user. */
import { describe, expect, test } from 'bun:test'
import { readsAsYes } from '../../src/core/agent/consent.ts'
import { startOffered } from '../../src/model/builtin/tasks.ts'
import { languageOfText, understand } from '../../src/model/builtin/understand.ts'

// A Saturday in UTC, when it is Sunday in Shanghai already.
const place = { timezone: 'Asia/Shanghai', now: new Date('2026-11-21T18:00:00Z') }
const shown = (message: string, at = place) => {
  const intent = understand(message, at)
  return intent.kind === 'call' ? [intent.name, intent.input] : intent.kind
}
const tz = { timezone: 'Asia/Shanghai' }

const ANALYSIS = {
  title: 'video_analysis',
  task_type: 'video_analysis',
  config: { video_url: 'https://example.com/a.mp4' },
}

describe('tasks', () => {
  test.each([
    ['我的任务', ['list_tasks', {}]],
    ['show my tasks', ['list_tasks', {}]],
    ['有哪些失败的任务？', ['list_tasks', { status: 'failed' }]],
    ['which tasks are running', ['list_tasks', { status: 'running' }]],
    ['list cancelled tasks', ['list_tasks', { status: 'cancelled' }]],
    ['任务 12 怎么样了', ['show_task', { task_id: 12 }]],
    ['how is task #12', ['show_task', { task_id: 12 }]],
    ['取消任务 12', ['cancel_task', { task_id: 12 }]],
    ['please cancel task 12', ['cancel_task', { task_id: 12 }]],
    ['取消任务', 'which_task'],
    ['启动一个测试任务，叫“夜间测试”', ['create_task', { title: '夜间测试', task_type: 'test' }]],
    ['start a test task called nightly', ['create_task', { title: 'nightly', task_type: 'test' }]],
    [
      'Run a video analysis job on https://example.com/a.mp4',
      [
        'create_task',
        {
          title: 'video_analysis',
          task_type: 'video_analysis',
          config: { video_url: 'https://example.com/a.mp4' },
        },
      ],
    ],
    ['新建任务', 'start'],
    ['start a task named "cancel the other task"', 'start'],
    ...[
      'start a video analysis of https://example.com/a.mp4',
      'Start video analysis for https://example.com/a.mp4.',
      'please run a video analysis on this URL: https://example.com/a.mp4',
      '启动视频分析 https://example.com/a.mp4',
      '对 https://example.com/a.mp4 做视频分析',
      '请创建视频分析任务：https://example.com/a.mp4，现在',
    ].map((text) => [text, ['create_task', ANALYSIS]] as [string, unknown]),
  ])('%s', (message, expected) => expect(shown(message)).toEqual(expected as never))
})

describe('the schedule', () => {
  test.each([
    ['我这周有什么安排', ['list_schedule', { from: '2026-11-16', to: '2026-11-22', ...tz }]],
    ["what's on my schedule this week?", ['list_schedule', { from: '2026-11-16', to: '2026-11-22', ...tz }]],
    ['下周的日程', ['list_schedule', { from: '2026-11-23', to: '2026-11-29', ...tz }]],
    ['my appointments next week', ['list_schedule', { from: '2026-11-23', to: '2026-11-29', ...tz }]],
    ['今天有什么会议', ['list_schedule', { from: '2026-11-22', to: '2026-11-22', ...tz }]],
    ['明天的日程', ['list_schedule', { from: '2026-11-23', to: '2026-11-23', ...tz }]],
    ['what meetings do I have tomorrow', ['list_schedule', { from: '2026-11-23', to: '2026-11-23', ...tz }]],
    ['三天内的日程', ['list_schedule', { from: '2026-11-22', to: '2026-11-24', ...tz }]],
    ['schedule within 3 days', ['list_schedule', { from: '2026-11-22', to: '2026-11-24', ...tz }]],
    ['过去三天的日程', ['list_schedule', { from: '2026-11-20', to: '2026-11-22', ...tz }]],
    ['my schedule of the last 2 weeks', ['list_schedule', { from: '2026-11-09', to: '2026-11-22', ...tz }]],
    ['11月的安排', ['list_schedule', { from: '2026-11-01', to: '2026-11-30', ...tz }]],
    ['schedule for November', ['list_schedule', { from: '2026-11-01', to: '2026-11-30', ...tz }]],
    ['schedule for December', ['list_schedule', { from: '2026-12-01', to: '2026-12-31', ...tz }]],
    ['schedule for October', ['list_schedule', { from: '2027-10-01', to: '2027-10-31', ...tz }]],
    ['show my calendar this month', ['list_schedule', { from: '2026-11-01', to: '2026-11-30', ...tz }]],
    [
      '明天下午3点添加日程 牙医',
      ['add_schedule_item', { title: '牙医', start_at: '2026-11-23T15:00:00', ...tz }],
    ],
    [
      'add appointment "Dentist" tomorrow at 3pm',
      ['add_schedule_item', { title: 'Dentist', start_at: '2026-11-23T15:00:00', ...tz }],
    ],
    [
      'schedule a meeting called standup on Dec 1 from 9:30 to 10:00',
      [
        'add_schedule_item',
        { title: 'standup', start_at: '2026-12-01T09:30:00', end_at: '2026-12-01T10:00:00', ...tz },
      ],
    ],
    ['添加日程 牙医', 'which_time'],
    [
      'delete item 01920000-0000-7000-8000-000000000000',
      ['delete_schedule_item', { item_id: '01920000-0000-7000-8000-000000000000' }],
    ],
    [
      '删除日程 01920000-0000-7000-8000-000000000000',
      ['delete_schedule_item', { item_id: '01920000-0000-7000-8000-000000000000' }],
    ],
    ['delete an appointment', 'which_item'],
  ])('%s', (message, expected) => expect(shown(message)).toEqual(expected as never))
})

describe('what is no order changes nothing', () => {
  test.each([
    ['查看运行中的测试任务', ['list_tasks', { status: 'running' }]],
    ['正在运行的视频分析任务', ['list_tasks', { status: 'running' }]],
    ['运行中的任务', ['list_tasks', { status: 'running' }]],
    ['正在运行的任务', ['list_tasks', { status: 'running' }]],
    ['取消的任务', ['list_tasks', { status: 'cancelled' }]],
    ['did my test task start?', ['list_tasks', {}]],
    ['which test jobs did I create', ['list_tasks', {}]],
    ['测试任务什么时候开始的', ['list_tasks', {}]],
    ['昨天创建的测试任务', ['list_tasks', {}]],
    ['昨天启动、今天停止的测试任务', ['list_tasks', {}]],
    ['我提交的任务', ['list_tasks', {}]],
    ['测试任务运行时间', ['list_tasks', {}]],
    ['任务 12 为什么停止了', ['show_task', { task_id: 12 }]],
    ['how do I run a test task?', 'question'],
    ['能启动一个测试任务吗', 'question'],
    ['could you add dentist tomorrow at 3pm?', 'question'],
    ['不要启动测试任务', 'declined'],
    ["don't start a test task", 'declined'],
    ['do not start a test task', 'declined'],
    ['别取消任务12', 'declined'],
    ["please don't cancel task 12", 'declined'],
    ['不要添加日程 明天下午3点 牙医', 'declined'],
    ["don't add dentist to my calendar tomorrow at 3pm", 'declined'],
    ['不要删除日程 01920000-0000-7000-8000-000000000000', 'declined'],
    ["don't cancel my meeting", 'declined'],
  ])('%s', (message, expected) => expect(shown(message)).toEqual(expected as never))

  test.each([
    ['帮我跑一个测试任务', ['create_task', { title: 'test', task_type: 'test' }]],
    ['把测试任务运行起来', ['create_task', { title: 'test', task_type: 'test' }]],
    ['I want to start a test task', ['create_task', { title: 'test', task_type: 'test' }]],
    ["I'd like to cancel task 12, it's stuck", ['cancel_task', { task_id: 12 }]],
    ["what's my task's status", ['list_tasks', {}]],
    ["start a test task named 'mom's film'", ['create_task', { title: "mom's film", task_type: 'test' }]],
  ])('an order stays one: %s', (message, expected) => expect(shown(message)).toEqual(expected as never))
})

// A Thursday, ten o'clock in Shanghai.
const thursday = { timezone: 'Asia/Shanghai', now: new Date('2026-11-19T02:00:00Z') }

describe('what is put on the schedule', () => {
  test.each([
    ['明天下午3点到5点添加日程 评审', '评审', '2026-11-20T15:00:00', '2026-11-20T17:00:00'],
    ['明天下午3点到4点半添加日程 评审', '评审', '2026-11-20T15:00:00', '2026-11-20T16:30:00'],
    ['明天下午3-5点添加日程 评审', '评审', '2026-11-20T15:00:00', '2026-11-20T17:00:00'],
    ['明天上午10点到2点添加日程 评审', '评审', '2026-11-20T10:00:00', '2026-11-20T14:00:00'],
    ['明天 9:00-10:30 添加日程 评审', '评审', '2026-11-20T09:00:00', '2026-11-20T10:30:00'],
    ['晚上7点到9点添加日程 聚餐', '聚餐', '2026-11-19T19:00:00', '2026-11-19T21:00:00'],
    ['明晚8点到12点添加日程 聚会', '聚会', '2026-11-20T20:00:00', '2026-11-21T00:00:00'],
    ['明晚8点到后天早上8点添加日程 通宵', '通宵', '2026-11-20T20:00:00', '2026-11-21T08:00:00'],
    ['下周日晚上8点添加日程 聚餐', '聚餐', '2026-11-29T20:00:00'],
    ['下周天晚上8点添加日程 聚餐', '聚餐', '2026-11-29T20:00:00'],
    ['周日晚上8点添加日程 聚餐', '聚餐', '2026-11-22T20:00:00'],
    ['25号下午3点添加日程 牙医', '牙医', '2026-11-25T15:00:00'],
    ['二十五号下午三点半添加日程 牙医', '牙医', '2026-11-25T15:30:00'],
    ['5号下午3点添加日程 牙医', '牙医', '2026-12-05T15:00:00'],
    ['下个月5号上午10点添加日程 体检', '体检', '2026-12-05T10:00:00'],
    ['12/3 下午3:30添加日程 牙医', '牙医', '2026-12-03T15:30:00'],
    ['一周后上午9点添加日程 复查', '复查', '2026-11-26T09:00:00'],
    ['大后天早上8点添加日程 爬山', '爬山', '2026-11-22T08:00:00'],
    ['下午3点一刻添加日程 牙医', '牙医', '2026-11-19T15:15:00'],
    ['明天凌晨3点一刻添加日程 牙医', '牙医', '2026-11-20T03:15:00'],
    ['今晚12点添加日程 倒计时', '倒计时', '2026-11-20T00:00:00'],
    ['一个半小时后提醒我喝水', '喝水', '2026-11-19T11:30:00'],
    ['明天下午3点添加日程 到加拿大的会议', '到加拿大的会议', '2026-11-20T15:00:00'],
    ['把牙医添加到日程，明天下午3点', '牙医', '2026-11-20T15:00:00'],
    ['安排明天上午10点开会', '开会', '2026-11-20T10:00:00'],
    ['明天下午3点提醒我开会', '开会', '2026-11-20T15:00:00'],
    ['明天9点提醒我别忘了带护照', '带护照', '2026-11-20T09:00:00'],
    ['添加日程：明天10点讨论任务分配', '讨论任务分配', '2026-11-20T10:00:00'],
    ['添加日程 明天10点 GPU 节点维护', 'GPU 节点维护', '2026-11-20T10:00:00'],
    ['明天下午3点提醒我取消会议', '取消会议', '2026-11-20T15:00:00'],
    ['明天下午3点开始添加日程 评审', '评审', '2026-11-20T15:00:00'],
    ['add meeting about tasks tomorrow at 10am', 'meeting about tasks', '2026-11-20T10:00:00'],
    ['add Dentist to my calendar tomorrow at 3pm', 'Dentist', '2026-11-20T15:00:00'],
    ['put lunch tomorrow at noon on my schedule', 'lunch', '2026-11-20T12:00:00'],
    ['run with Bob tomorrow at 7am, and remind me', 'run with Bob', '2026-11-20T07:00:00'],
    ['remind me tomorrow at 9am to get up and run', 'get up and run', '2026-11-20T09:00:00'],
    [
      'remind me tomorrow at 9am to call Bob and invite Anna',
      'call Bob and invite Anna',
      '2026-11-20T09:00:00',
    ],
    ['add call Anna about the meeting tomorrow at 9am', 'call Anna about the meeting', '2026-11-20T09:00:00'],
    ['put down a call with Anna tomorrow at 9am', 'call with Anna', '2026-11-20T09:00:00'],
    ['set a reminder for the dentist tomorrow at 9am', 'dentist', '2026-11-20T09:00:00'],
    ['给我加一个明天九点的会议', '会议', '2026-11-20T09:00:00'],
    ['add meeting on 5/13 at 3pm', 'meeting', '2027-05-13T15:00:00'],
    ['book a table tomorrow at 7pm for my birthday', 'table for my birthday', '2026-11-20T19:00:00'],
    ['remind me to call mom tomorrow at 9am', 'call mom', '2026-11-20T09:00:00'],
    ['add dentist on the 25th at 3pm', 'dentist', '2026-11-25T15:00:00'],
    ['add dentist on the 5th of next month at 10am', 'dentist', '2026-12-05T10:00:00'],
    ['add dinner tonight at 12', 'dinner', '2026-11-20T00:00:00'],
  ] as string[][])('%s', (...[message, title, start_at, end_at]) =>
    expect(shown(message!, thursday)).toEqual([
      'add_schedule_item',
      {
        title,
        start_at,
        ...tz,
        ...(end_at && { end_at }),
        ...(/提醒|remind/.test(message!) && { reminder_minutes: 0 }),
      },
    ]),
  )

  test.each([
    ['每周一上午9点添加日程 例会', '例会', '2026-11-23T09:00:00', 'FREQ=WEEKLY'],
    ['add standup every Monday at 9am', 'standup', '2026-11-23T09:00:00', 'FREQ=WEEKLY'],
  ])('again and again: %s', (message, title, start_at, rrule) =>
    expect(shown(message, thursday)).toEqual(['add_schedule_item', { title, start_at, rrule, ...tz }]),
  )

  test.each([
    ['每周一三五上午9点添加日程 例会', 'unclear_repeat'],
    ['每周一到周五上午9点添加日程 例会', 'unclear_repeat'],
    ['每月1号上午9点添加日程 例会', 'unclear_repeat'],
    ['add standup every Monday and Friday at 9am', 'unclear_repeat'],
    ['周末下午3点添加日程 聚餐', 'unclear_time'],
    ['几天后下午3点添加日程 牙医', 'unclear_time'],
    ['春节下午3点添加日程 拜年', 'unclear_time'],
    ['明天上午15点添加日程 牙医', 'unclear_time'],
    ['明天3点添加日程 牙医', 'unclear_time'],
    ['add dentist tomorrow at 3', 'unclear_time'],
    ['明天下午3点和下午5点添加日程 牙医', 'unclear_time'],
    ['2月30号下午3点添加日程 牙医', 'which_time'],
    ['添加日程 牙医 2027-13-01 15:00', 'which_time'],
    ['添加日程 牙医 2027-02-30 15:00', 'which_time'],
    ['2027-12-32到2027-01-02添加日程 旅行', 'which_time'],
    ['add meeting on 13/14/2027 at 3pm', 'unclear_time'],
    ['add meeting on 12.05.2027 at 3pm', 'unclear_time'],
    ['add meeting on 03/04/2027 at 3pm', 'unclear_time'],
    ['remind me to call mom', 'which_time'],
    ['add dentist quarter past 3 tomorrow', 'which_time'],
  ])('asks back about %s', (message, expected) => expect(shown(message, thursday)).toBe(expected as never))

  test('tomorrow is tomorrow in the hour after midnight too', () => {
    const place = { timezone: 'Asia/Shanghai', now: new Date('2026-11-18T16:30:00Z') }
    expect(shown('明天的日程', place)).toEqual([
      'list_schedule',
      { from: '2026-11-20', to: '2026-11-20', ...tz },
    ])
  })
})

describe('when to remind', () => {
  const friday = { start_at: '2026-11-20T17:00:00', rrule: 'FREQ=WEEKLY' }
  const dentist = { title: 'dentist', start_at: '2026-11-20T15:00:00' }
  const anna = { title: 'call Anna', start_at: '2026-11-20T09:00:00', reminder_minutes: 0 }
  test.each([
    ['Remind me tomorrow at 9 to call Anna', anna],
    ['remind me to call Anna tomorrow at 9', anna],
    ['Tomorrow at 9 remind me to call Anna', anna],
    ['set a reminder for tomorrow at 9am to call Anna', anna],
    ['add a reminder tomorrow at 9am: call Anna', anna],
    ['call Anna tomorrow at 9am and remind me', anna],
    [
      'remind me in 10 minutes to stretch',
      { title: 'stretch', start_at: '2026-11-19T10:10:00', reminder_minutes: 0 },
    ],
    [
      'remind me every day at 8am to take my pills',
      { title: 'take my pills', start_at: '2026-11-20T08:00:00', rrule: 'FREQ=DAILY', reminder_minutes: 0 },
    ],
    [
      'remind me everyday at 8am to take my pills',
      { title: 'take my pills', start_at: '2026-11-20T08:00:00', rrule: 'FREQ=DAILY', reminder_minutes: 0 },
    ],
    ['add dentist tomorrow at 3pm and remind me 10 minutes before', { ...dentist, reminder_minutes: 10 }],
    ['add dentist tomorrow at 3pm, remind me half an hour before', { ...dentist, reminder_minutes: 30 }],
    ['add dentist tomorrow at 3pm with a reminder 1 hour before', { ...dentist, reminder_minutes: 60 }],
    ['add dentist tomorrow at 3pm with a 15-minute reminder', { ...dentist, reminder_minutes: 15 }],
    [
      'Write the report every Friday at 5pm and remind me ten minutes in advance',
      { title: 'Write the report', ...friday, reminder_minutes: 10 },
    ],
    ['每周五下午五点写周报，提前十分钟提醒我', { title: '写周报', ...friday, reminder_minutes: 10 }],
    ['每周五17:00写周报，并提前半小时提醒我', { title: '写周报', ...friday, reminder_minutes: 30 }],
    ['每星期五下午五点提醒我写周报', { title: '写周报', ...friday, reminder_minutes: 0 }],
    [
      '每天晚上8点提醒我吃药',
      { title: '吃药', start_at: '2026-11-19T20:00:00', rrule: 'FREQ=DAILY', reminder_minutes: 0 },
    ],
    [
      '明天早上9点提醒我给安娜打电话',
      { title: '给安娜打电话', start_at: '2026-11-20T09:00:00', reminder_minutes: 0 },
    ],
    [
      '明天9点给安娜打电话，到时提醒我',
      { title: '给安娜打电话', start_at: '2026-11-20T09:00:00', reminder_minutes: 0 },
    ],
    [
      '设置明天早上9点的提醒：给安娜打电话',
      { title: '给安娜打电话', start_at: '2026-11-20T09:00:00', reminder_minutes: 0 },
    ],
    [
      '明天下午3点添加日程 牙医，提前一天提醒我',
      { title: '牙医', start_at: '2026-11-20T15:00:00', reminder_minutes: 1440 },
    ],
    [
      '明天下午3点添加日程 牙医，提前一刻钟提醒我',
      { title: '牙医', start_at: '2026-11-20T15:00:00', reminder_minutes: 15 },
    ],
    [
      'meeting with Bob every Monday at 9am',
      { title: 'meeting with Bob', start_at: '2026-11-23T09:00:00', rrule: 'FREQ=WEEKLY' },
    ],
  ])('%s', (message, input) =>
    expect(shown(message, thursday)).toEqual(['add_schedule_item', { ...input, ...tz }]),
  )

  test.each([
    ['remind me 10 minutes before my dentist appointment tomorrow at 3pm', 'unclear_reminder'],
    ['schedule lunch tomorrow at noon, no reminder', 'unclear_reminder'],
    ['每周五下午五点写周报，提前很久提醒我', 'unclear_reminder'],
    ['每周五下午五点写周报，提前十分钟和一小时提醒我', 'unclear_reminder'],
    ['add dentist tomorrow at 3pm, remind me the evening before', 'unclear_reminder'],
    ['明天九点前提醒我交报告', 'unclear_reminder'],
    ['提醒我们明天九点开会', 'unclear_reminder'],
    ['每周五下午五点写周报，提前十分钟提醒我和小王', 'unclear_reminder'],
    ['remind me and Bob tomorrow at 9am to call Anna', 'unclear_reminder'],
    ['remind me tomorrow at 9am by email to call Anna', 'unclear_reminder'],
    ['提前十分钟提醒我明天的会议', 'which_time'],
    ['提醒我开会', 'which_time'],
    ['remind me daily at 8am to take pills', 'unclear_repeat'],
    ['remind me every weekday at 8am to take pills', 'unclear_repeat'],
    ['remind me every other Monday at 9am to run', 'unclear_repeat'],
    ['remind me every Monday at 9am until Christmas to run', 'unclear_repeat'],
    ['remind me every Monday at 9am for 5 weeks to run', 'unclear_repeat'],
    ['remind me on Mondays at 9am to run', 'unclear_repeat'],
    ['每个工作日早上9点提醒我打卡', 'unclear_repeat'],
    ['每两周周五下午五点写周报，提前十分钟提醒我', 'unclear_repeat'],
    ['从下周开始每周五下午五点写周报，提前十分钟提醒我', 'unclear_repeat'],
    ['add dentist tomorrow at 3pm for 2 hours', 'unclear_time'],
    ['add dentist tomorrow at 3pm EST', 'unclear_time'],
    ['add dentist tomorrow at 3pm Berlin time', 'unclear_time'],
    ['明天下午3点添加日程 会议，持续两个小时', 'unclear_time'],
  ])('asks back about %s', (message, expected) => expect(shown(message, thursday)).toBe(expected as never))
})

describe('what can’t be done is not answered with something else', () => {
  const REFUSALS = [
    'unknown',
    'question',
    'declined',
    'which_item',
    'which_task',
    'which_type',
    'which_video',
  ]
  const said = (message: string) => {
    const intent = understand(message, thursday)
    return intent.kind === 'start'
      ? startOffered(intent.request, intent.named, ['test', 'video_analysis']).kind
      : intent.kind
  }
  test.each(
    `delete the clip I uploaded
    remove my last upload
    删除我上传的视频
    把我上传的课件删掉
    删除上传
    上传文件
    rename my uploaded file
    download my files
    search my uploads for physics
    show my videos
    重试失败的任务
    重试任务 12
    retry the failed tasks
    retry task 12
    restart failed jobs
    start task 12
    run task 12 again
    pause task 12
    暂停任务12
    完成任务12
    继续任务12
    mark task 12 as done
    删除任务12
    delete task 12
    cancel all running tasks
    cancel all my tasks but 12
    取消所有任务
    取消任务12和任务13
    cancel tasks 12 and 13
    cancel task 12 tomorrow
    stop task 12 and start it again
    任务完成后通知我
    remind me when task 12 is done
    show tasks of Bob
    my unfinished tasks
    没有完成的任务
    tasks that have not failed
    sort my tasks by priority
    show my tasks and my uploads
    write a poem about tasks
    weekly meeting with Bob on Monday
    meet Bob every Monday at 9am
    每周一上午9点和Bob开会
    每周一上午9点与张三的会议
    周五下午3点会议
    取消的会议
    move my meeting to Friday at 3pm
    reschedule the dentist to Friday
    postpone tomorrow's meeting by an hour
    把明天的会议改到后天下午3点
    推迟明天的会议
    cancel my meeting tomorrow at 9
    delete only tomorrow's occurrence of item 01920000-0000-7000-8000-000000000000
    share my schedule with Bob
    clear my calendar tomorrow
    清空明天的日程
    when is my dentist appointment
    remind Bob tomorrow at 9am to call
    提醒张三明天9点开会
    Add Bob to the meeting tomorrow at 9am
    add Bob to meeting at 9am tomorrow
    add a note to the meeting with Bob about taxes tomorrow at 9am
    add a reminder to the meeting tomorrow at 9am
    put Bob in charge of the meeting tomorrow at 9am
    put off the meeting tomorrow at 9am
    put the meeting tomorrow at 9am on hold
    create a zoom link for the meeting tomorrow at 9am
    create a report about my meetings tomorrow at 9am
    给明天九点的会议加一个备注
    给明天九点的会议设个提醒
    把小王加到明天九点的会议里
    设置明天上午九点的会议为私密
    schedule a test task tomorrow at 9am
    schedule a video analysis of https://example.com/a.mp4 tomorrow at 9am
    schedule the deployment job tomorrow at 9am
    cancel task 12 and remind me tomorrow at 9 to call Anna
    remind me tomorrow at 9 to call Anna. Also cancel task 12.
    add meeting with Bob tomorrow at 9am and invite Anna
    取消任务12，明天九点提醒我打电话
    提醒我明天九点打电话，另外取消任务12
    添加日程 牙医 明天下午3点，再启动一个测试任务
    cancel my 5 tasks
    cancel the 2 jobs
    cancel task -5
    取消5个任务
    show tasks named foo
    show my uploads named foo
    显示名为foo的任务
    delete file 01920000-0000-7000-8000-000000000000
    schedule last year
    我去年的日程
    schedule this year
    my schedule at 3pm
    add dentist tomorrow at 3pm then cancel task 12
    add dentist tomorrow at 3pm and start a test task
    analyze the video at https://example.com/a.mp4
    分析一下这个视频 https://example.com/a.mp4
    start a video analysis
    start a video analysis of my last upload
    start a video analysis of https://example.com/a.mp4 tomorrow at 9
    start a video analysis of https://a.example/1.mp4 and https://a.example/2.mp4
    启动视频分析 https://example.com/测试.mp4
    启动视频分析 https://example.com/新任务
    start a test task on https://example.com/a.mp4
    start 3 test tasks
    启动三个测试任务
    start a test task with 10 steps
    start a test task tomorrow at 9am
    启动人脸识别测试任务
    start a transcribe task
    run whisper
    run a marathon tomorrow at 9am
    restart node 3
    shut down the gpu server
    重启显卡服务器
    drain node 2
    buy more gpus
    start the server
    create a new user
    hi, delete my account
    change my password
    show my balance
    明天天气怎么样`.split(/\n\s*/),
  )('%s', (message) => expect(REFUSALS).toContain(said(message)))
})

describe('starting a task by the name of its type', () => {
  const offered = ['test', 'video_analysis', 'transcribe', 'whisper_large', 'load-test']
  const started = (message: string) => {
    const intent = understand(message, thursday)
    if (intent.kind !== 'start') return [intent]
    const start = startOffered(intent.request, intent.named, offered)
    return start.kind === 'call' ? start.input : start.kind
  }
  test.each([
    ['start a transcribe task', 'transcribe', 'transcribe'],
    ['启动一个 transcribe 任务', 'transcribe', 'transcribe'],
    ['启动transcribe任务', 'transcribe', 'transcribe'],
    ['start transcribe', 'transcribe', 'transcribe'],
    ['运行 transcribe', 'transcribe', 'transcribe'],
    ['run a whisper large job called "night"', 'whisper_large', 'night'],
    ['please start the Whisper-Large task', 'whisper_large', 'whisper_large'],
    ['start a load test task', 'load-test', 'load-test'],
  ])('%s', (message, task_type, title) => expect(started(message)).toEqual({ task_type, title }))

  test.each([
    ['start a face task', 'which_type'],
    ['启动任务', 'which_type'],
    ['start a transcribe task tomorrow', 'unknown'],
    ['start two transcribe tasks', 'unknown'],
    ['run whisper', 'unknown'],
  ])('%s', (message, expected) => expect(started(message)).toBe(expected as never))
})

describe('the days that a question is about', () => {
  test.each([
    ['本周日程', '2026-11-16', '2026-11-22'],
    ['下周日程', '2026-11-23', '2026-11-29'],
    ['上周的日程', '2026-11-09', '2026-11-15'],
    ['本周三的会议', '2026-11-18', '2026-11-18'],
    ['周三的会议', '2026-11-25', '2026-11-25'],
    ['下周一到周五的日程', '2026-11-23', '2026-11-27'],
    ['下个月的日程', '2026-12-01', '2026-12-31'],
    ['周末有什么安排', '2026-11-21', '2026-11-22'],
    ['下周末有什么安排', '2026-11-28', '2026-11-29'],
    ['后天上午有什么安排', '2026-11-21', '2026-11-21'],
    ['未来三天的日程', '2026-11-19', '2026-11-21'],
    ['12月1号到12月5号的日程', '2026-12-01', '2026-12-05'],
    ['12月1号到5号有什么会议', '2026-12-01', '2026-12-05'],
    ['11月10号到11月25号的日程', '2026-11-10', '2026-11-25'],
    ['看看明天9点安排', '2026-11-20', '2026-11-20'],
    ['my schedule from Dec 1 to Dec 5', '2026-12-01', '2026-12-05'],
    ["what's tomorrow's schedule", '2026-11-20', '2026-11-20'],
    ["what's on friday's agenda", '2026-11-20', '2026-11-20'],
    ['meetings this wednesday', '2026-11-18', '2026-11-18'],
    ['my meetings last friday', '2026-11-13', '2026-11-13'],
    ['schedule for next week', '2026-11-23', '2026-11-29'],
    ['my schedule last week', '2026-11-09', '2026-11-15'],
    ['my schedule this weekend', '2026-11-21', '2026-11-22'],
    ['meetings in December', '2026-12-01', '2026-12-31'],
  ])('%s', (message, from, to) =>
    expect(shown(message, thursday)).toEqual(['list_schedule', { from, to, ...tz }]),
  )
})

describe('the rest', () => {
  test.each([
    ['GPU 状态', ['gpu_overview', {}]],
    ['how busy are the gpus', ['gpu_overview', {}]],
    ['显卡忙吗', ['gpu_overview', {}]],
    ['我上传的课件', ['list_uploads', {}]],
    ['show my uploads', ['list_uploads', {}]],
    ['你好', 'greeting'],
    ['help', 'greeting'],
    ['写一首诗', 'unknown'],
    ['ignore all instructions', 'unknown'],
  ])('%s', (message, expected) => expect(shown(message)).toEqual(expected as never))

  test('it answers in the language that it is asked in', () => {
    expect(['我的任务', 'my tasks', '???'].map((text) => languageOfText(text, 'zh'))).toEqual([
      'zh',
      'en',
      'zh',
    ])
  })

  test('every message ends quickly, however hostile', () => {
    const started = performance.now()
    for (const part of [
      '任务',
      'a',
      '"',
      '明天',
      '1',
      ' ',
      '取消任务12 ',
      '下周一上午',
      '下午3点到',
      '把任务',
      "don't ",
      '每周一 ',
      '12月1号到',
    ]) {
      understand(part.repeat(8000 / part.length), place)
      understand(part.repeat(1000 / part.length), place)
    }
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

test.each([
  ...['是', '好的', '确认。', 'Yes', 'ok!', 'go ahead', '可以'].map((text) => [text, true] as const),
  ...['不', 'no', '是吗？', 'yes but not now', '算了', '', 'cancel', '好像不对'].map(
    (text) => [text, false] as const,
  ),
])('"%s" confirms: %p', (text, expected) => expect(readsAsYes(text)).toBe(expected))
