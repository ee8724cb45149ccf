import { defineTexts } from '../errors/define.ts'

export const TASK_MESSAGES = defineTexts({
  task_created: { zh: '任务已创建', en: 'Task created' },
  task_cancelled: { zh: '任务已取消', en: 'Task cancelled' },
  task_retried: { zh: '任务已重新排队', en: 'Task queued again' },
  task_deleted: { zh: '任务已删除', en: 'Task deleted' },
  failure_reported: { zh: '{detail}', en: '{detail}' },
  failure_exited: {
    zh: '任务程序已退出，退出码 {exitCode}',
    en: 'The program ended with exit code {exitCode}',
  },
  failure_killed: { zh: '任务程序被信号 {signal} 终止', en: 'The program was ended by the signal {signal}' },
  failure_timed_out: {
    zh: '任务程序运行超过 {seconds} 秒，已终止',
    en: 'The program ran for more than {seconds} {seconds|second|seconds} and was stopped',
  },
  failure_cancelled: { zh: '任务已取消', en: 'The task was cancelled' },
  failure_result_invalid: {
    zh: '任务输出的结果不是 JSON 对象',
    en: 'The result that the task wrote is not a JSON object',
  },
  failure_result_too_large: {
    zh: '任务结果过大（上限 {limit} 字节）',
    en: 'The result of the task is larger than {limit} {limit|byte|bytes}',
  },
  failure_result_too_deep: {
    zh: '任务结果嵌套过深（上限 {limit} 层）',
    en: 'The result of the task is nested more than {limit} {limit|level|levels} deep',
  },
  failure_node_restarted: {
    zh: '节点重启，任务丢失',
    en: 'The node restarted and lost the task',
  },
  failure_node_replaced: {
    zh: '另一个使用同一令牌的连接取代了该节点，且未接管任务',
    en: 'Another connection with the token of this node replaced it and did not take over the task',
  },
  failure_node_gave_back: { zh: '节点退回了任务：{detail}', en: 'The node gave the task back: {detail}' },
  failure_node_silent: { zh: '节点没有响应', en: 'The node did not answer' },
  failure_node_offline: {
    zh: 'GPU 服务器 {name} 已离线',
    en: 'The GPU server {name} went offline',
  },
  failure_node_disconnected: {
    zh: 'GPU 服务器 {name} 已断开连接',
    en: 'The GPU server {name} lost its connection',
  },
  failure_node_removed: { zh: 'GPU 服务器已被移除', en: 'The GPU server was removed' },
  failure_cannot_start: {
    zh: '节点无法启动任务程序',
    en: 'The node could not start the program of the task',
  },
  failure_time_limit: {
    zh: '任务运行超过 {seconds} 秒',
    en: 'The task ran for more than {seconds} {seconds|second|seconds}',
  },
  failure_force_stopped: { zh: '管理员已停止该任务', en: 'An administrator stopped the task' },
  failure_item_not_open: {
    zh: '{item} 尚未开放，任务按 notopen_action 的设置停止',
    en: '{item} is not open, and the setting notopen_action says to stop',
  },
  failure_course_account_refused: {
    zh: '课程平台拒绝了您的账号或密码，请在 /api/user/config 中更新后重试任务',
    en: 'The provider of courses refuses your account or password; change them in /api/user/config and retry the task',
  },
  failure_course_account_missing: {
    zh: '没有课程平台的账号，请在 /api/user/config 中填写 cx_username 和 cx_password 后重试任务',
    en: 'There is no account for the provider of courses; set cx_username and cx_password in /api/user/config and retry the task',
  },
  note_exit_code: { zh: '（退出码 {exitCode}）', en: '(exit code {exitCode})' },
  note_signal: { zh: '（信号 {signal}）', en: '(signal {signal})' },
  note_attempts: { zh: '（第 {attempt} 次尝试，共 {attempts} 次）', en: '(attempt {attempt} of {attempts})' },
  note_reason: { zh: '（原因：{reason}）', en: '(reason: {reason})' },
  log_refused: { zh: '节点拒绝了任务：{detail}', en: 'The node refused the task: {detail}' },
  log_lost: { zh: '{lines} 行日志未能保存', en: '{lines} {lines|line|lines} could not be stored' },
  log_limit: { zh: '只保留前 {limit} 行日志', en: 'Only the first {limit} {limit|line|lines} are kept' },
  log_study_started: {
    zh: '任务开始：共 {items} 项，其中 {done} 项已完成，倍速 {speed}',
    en: 'The task has started: {items} {items|item|items}, {done} of them done already, at speed {speed}',
  },
  log_study_item: { zh: '当前任务: {item}', en: 'Current item: {item}' },
  log_study_waiting: {
    zh: '{item} 尚未开放，至少每 {seconds} 秒重试一次',
    en: '{item} is not open yet; the server tries again at least every {seconds} {seconds|second|seconds}',
  },
  log_study_unreachable: {
    zh: '课程平台暂时无法访问，至少每 {seconds} 秒重试一次：{item}',
    en: 'The provider of courses cannot be reached; the server tries again at least every {seconds} {seconds|second|seconds}: {item}',
  },
  log_study_skipped: { zh: '{item} 尚未开放，已跳过', en: '{item} is not open and was skipped' },
  log_study_paused: { zh: '已暂停：{item}，第 {position} 秒', en: 'Paused at second {position}: {item}' },
  log_study_resumed: {
    zh: '继续：{item}，从第 {position} 秒开始，倍速 {speed}',
    en: 'Resumed at second {position}, at speed {speed}: {item}',
  },
  log_study_moved: {
    zh: '服务器已更换，从第 {position} 秒继续：{item}',
    en: 'Another server goes on at second {position}: {item}',
  },
  log_study_completed: { zh: '全部内容已完成', en: 'All items are done' },
})
