import type { ErrorCode, IssueRule } from './errors.ts'

export type Language = 'zh' | 'en'
type Text = Record<Language, string>

/** Everything the server says to a person, in both languages. `{name}` is replaced by a parameter. */
const catalogue = {
  ok: { zh: '操作已完成', en: 'Done' },
  registered: { zh: '账号已创建', en: 'Account created' },
  signed_in: { zh: '已登录', en: 'Signed in' },
  signed_out: { zh: '已退出登录', en: 'Successfully logged out' },
  discard_tokens: { zh: '请同时删除客户端保存的令牌', en: 'Please discard your tokens on the client side' },
  task_created: { zh: '任务已创建', en: 'Task created' },
  task_cancelled: { zh: '任务已取消', en: 'Task cancelled' },
  task_retried: { zh: '任务已重新排队', en: 'Task queued again' },
  task_deleted: { zh: '任务已删除', en: 'Task deleted' },
  password_changed: { zh: '密码已修改', en: 'Password changed' },
  server_created: { zh: '服务器已登记，令牌只显示这一次', en: 'Server created; its token is shown only now' },
  token_rotated: { zh: '令牌已更换，只显示这一次', en: 'Token replaced; it is shown only now' },

  upload_processing: { zh: '文件正在上传', en: 'The file is coming in' },
  upload_active: { zh: '上传完成，可以使用', en: 'Upload complete and ready' },
  upload_hidden: { zh: '该课件已隐藏', en: 'The material is hidden' },
  job_paused: { zh: '定时任务 {job_id} 已暂停', en: 'Job {job_id} paused successfully' },
  job_resumed: { zh: '定时任务 {job_id} 已恢复', en: 'Job {job_id} resumed successfully' },

  confirm_how: {
    zh: '回复“是”确认，其他回复则不执行。',
    en: 'Answer “yes” to do it; anything else leaves it.',
  },
  agent_model_unavailable: {
    zh: '语言模型暂时无法访问，请稍后重试',
    en: 'The language model can’t be reached right now; try again later',
  },
  agent_model_rate_limited: {
    zh: '语言模型请求过多，请稍后重试',
    en: 'The language model is asked too often; try again later',
  },
  agent_model_refused: {
    zh: '语言模型拒绝了请求，请联系管理员检查配置',
    en: 'The language model refused the request; an administrator should look at its settings',
  },
  agent_model_interrupted: {
    zh: '语言模型的回答中途断开',
    en: 'The language model broke off in the middle of its answer',
  },
  agent_model_timeout: { zh: '语言模型响应超时', en: 'The language model took too long' },
  agent_model_cut_off: {
    zh: '回答达到了语言模型的长度上限，因此不完整',
    en: 'The answer reached the language model’s length limit, so it is incomplete',
  },
  agent_model_filtered: {
    zh: '语言模型服务的内容过滤器中止了回答',
    en: 'The content filter of the language model’s provider stopped the answer',
  },
  agent_model_empty: {
    zh: '语言模型没有给出任何回答，请换一种问法再试',
    en: 'The language model gave no answer; try again in other words',
  },
  agent_step_limit: {
    zh: '回答所需的步骤过多，已停止',
    en: 'The answer took too many steps and was stopped',
  },
  agent_output_limit: { zh: '回答过长，已停止', en: 'The answer became too long and was stopped' },
  agent_session_ended: {
    zh: '登录状态已失效，已停止',
    en: 'The sign-in has ended, so the answer was stopped',
  },
  agent_server_stopped: {
    zh: '服务器在回答过程中停止',
    en: 'The server stopped while it was answering',
  },
  agent_internal: { zh: '回答时出错', en: 'Something went wrong while answering' },

  failure_reported: { zh: '{detail}', en: '{detail}' },
  failure_exited: {
    zh: '任务程序已退出，退出码 {exit_code}',
    en: 'The program ended with exit code {exit_code}',
  },
  failure_killed: { zh: '任务程序被信号 {signal} 终止', en: 'The program was ended by the signal {signal}' },
  failure_timed_out: {
    zh: '任务程序运行超过 {seconds} 秒，已终止',
    en: 'The program ran for more than {seconds} seconds and was stopped',
  },
  failure_cancelled: { zh: '任务已取消', en: 'The task was cancelled' },
  failure_result_invalid: {
    zh: '任务输出的结果不是 JSON 对象',
    en: 'The result that the task wrote is no JSON object',
  },
  failure_result_too_large: {
    zh: '任务结果过大（上限 {limit} 字节）',
    en: 'The result of the task is larger than {limit} bytes',
  },
  failure_result_too_deep: {
    zh: '任务结果嵌套过深（上限 {limit} 层）',
    en: 'The result of the task is nested more than {limit} levels deep',
  },
  failure_node_restarted: {
    zh: '节点重启，任务丢失',
    en: 'The node restarted and lost the task',
  },
  failure_node_replaced: {
    zh: '另一个使用同一令牌的连接取代了该节点，且未接管任务',
    en: 'Another connection with the token of this node took its place, without the task',
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
    en: 'The task ran for more than {seconds} seconds',
  },
  note_exit_code: { zh: '（退出码 {exit_code}）', en: '(exit code {exit_code})' },
  note_signal: { zh: '（信号 {signal}）', en: '(signal {signal})' },
  note_attempts: { zh: '（第 {attempt} 次尝试，共 {attempts} 次）', en: '(attempt {attempt} of {attempts})' },
  log_refused: { zh: '节点拒绝了任务：{detail}', en: 'The node refused the task: {detail}' },
  log_lost: { zh: '{lines} 行日志未能保存', en: '{lines} lines could not be stored' },
  log_limit: { zh: '只保留前 {limit} 行日志', en: 'Only the first {limit} lines are kept' },

  AUTHENTICATION_REQUIRED: { zh: '请先登录', en: 'Sign in first' },
  INVALID_TOKEN: { zh: '令牌无效，请重新登录', en: 'The token is not valid; sign in again' },
  TOKEN_EXPIRED: { zh: '令牌已过期，请刷新', en: 'The token has expired; refresh it' },
  INVALID_CREDENTIALS: { zh: '邮箱、用户名或密码不正确', en: 'The email, username or password is wrong' },
  INVALID_REFRESH_TOKEN: {
    zh: '刷新令牌无效或已过期，请重新登录',
    en: 'The refresh token is not valid any more; sign in again',
  },
  INACTIVE_USER: { zh: '该账号已停用', en: 'This account is deactivated' },
  PERMISSION_DENIED: { zh: '没有执行此操作的权限', en: 'You may not do this' },
  NOT_FOUND: { zh: '找不到请求的内容', en: 'What was asked for does not exist' },
  METHOD_NOT_ALLOWED: { zh: '此地址不支持该方法', en: 'This address does not answer this method' },
  EMAIL_TAKEN: { zh: '该邮箱已有账号', en: 'This email already has an account' },
  USERNAME_TAKEN: { zh: '该用户名已被使用', en: 'This username is taken' },
  NAME_TAKEN: { zh: '该名称已被使用', en: 'This name is taken' },
  INVALID_STATE: {
    zh: '任务处于 {status} 状态，不能执行此操作',
    en: 'The task is {status}; this is not possible now',
  },
  LAST_SUPER_ADMIN: {
    zh: '至少要保留一名超级管理员',
    en: 'The last super administrator has to stay',
  },
  INSUFFICIENT_BALANCE: {
    zh: '可用余额不足，请先充值',
    en: 'The available balance is too low; top it up first',
  },
  TASK_LIMIT_EXCEEDED: {
    zh: '未结束的任务已达上限（{limit}）',
    en: 'You have reached the limit of {limit} unfinished tasks',
  },
  UNKNOWN_MATERIAL_TYPE: { zh: '课件类型应为 video 或 pdf', en: 'The material type is video or pdf' },
  MATERIAL_HIDDEN: { zh: '该课件已隐藏，不能执行此操作', en: 'The material is hidden; this is not possible' },
  ALREADY_DELETED: { zh: '该课件已经删除', en: 'The material has been deleted already' },
  FILE_TOO_LARGE: { zh: '文件过大（上限 {limit_mb} MB）', en: 'The file is larger than {limit_mb} MB' },
  UNSUPPORTED_FILE_TYPE: {
    zh: '只支持 mp4、webm 和 pdf 文件',
    en: 'Only mp4, webm and pdf files are accepted',
  },
  UPLOAD_FAILED: { zh: '文件保存失败，请重试', en: 'The file could not be stored; try again' },
  UPLOAD_TOO_SLOW: {
    zh: '上传速度过慢，已停止，请在网络恢复后重试',
    en: 'The upload came in too slowly and was stopped; try again on a better connection',
  },
  TOO_MANY_UPLOADS: {
    zh: '同时上传的文件不能超过 {limit} 个，请等待其中一个完成',
    en: 'You can upload {limit} files at the same time; wait until one of them is done',
  },
  CLEANUP_FAILED: { zh: '清理失败，详见服务器日志', en: 'The clean-up failed; the server log says why' },
  JOB_NOT_FOUND: { zh: '没有这个定时任务', en: 'There is no such job' },
  VALIDATION_FAILED: { zh: '提交的内容不符合要求', en: 'The request does not fit' },
  PAYLOAD_TOO_LARGE: { zh: '请求内容过大（上限 {limit} 字节）', en: 'The body is larger than {limit} bytes' },
  INVALID_CODE: { zh: '验证码无效或已过期', en: 'The code is wrong or has expired' },
  INVALID_RANGE: { zh: '结束时间不能早于开始时间', en: 'The end may not be before the start' },
  RUN_IN_PROGRESS: {
    zh: '上一条消息仍在处理中，请等待完成或先取消',
    en: 'The session is still answering; wait for the end or cancel it',
  },
  RATE_LIMITED: {
    zh: '请求过于频繁，请在 {seconds} 秒后重试',
    en: 'Too many requests; try again in {seconds} s',
  },
  CLIENT_CLOSED: { zh: '客户端中断了请求', en: 'The client broke off the request' },
  DATABASE_UNAVAILABLE: {
    zh: '服务暂时不可用，请稍后重试',
    en: 'The service is not available right now; try again shortly',
  },
  INTERNAL: { zh: '服务器内部出错', en: 'Something went wrong on the server' },

  'issue.required': { zh: '不能为空', en: 'is required' },
  'issue.type': { zh: '类型应为 {expected}', en: 'must be of type {expected}' },
  'issue.min_length': { zh: '至少需要 {limit} 个字符', en: 'needs at least {limit} characters' },
  'issue.max_length': { zh: '不能超过 {limit} 个字符', en: 'may have at most {limit} characters' },
  'issue.minimum': { zh: '不能小于 {limit}', en: 'must be at least {limit}' },
  'issue.maximum': { zh: '不能大于 {limit}', en: 'must be at most {limit}' },
  'issue.min_items': { zh: '至少需要 {limit} 项', en: 'needs at least {limit} items' },
  'issue.max_items': { zh: '不能超过 {limit} 项', en: 'may have at most {limit} items' },
  'issue.email': { zh: '请填写有效的邮箱地址', en: 'must be an email address' },
  'issue.username': {
    zh: '应为 3–30 个字母、数字、点、下划线或连字符',
    en: 'must be 3–30 letters, digits, dots, underscores or hyphens',
  },
  'issue.format': { zh: '格式不正确', en: 'has the wrong format' },
  'issue.choice': { zh: '应为以下之一：{choices}', en: 'must be one of: {choices}' },
  'issue.json': { zh: '不是有效的 JSON', en: 'is not valid JSON' },
  'issue.characters': { zh: '含有无法保存的字符', en: 'contains characters that cannot be stored' },
  'issue.depth': { zh: '嵌套不能超过 {limit} 层', en: 'may be nested at most {limit} levels deep' },
  'issue.number': {
    zh: '数字 {number} 过大，无法保存',
    en: 'contains {number}, which is too large to be kept; send it as a string',
  },
  'issue.task_kind': {
    zh: '请只提供 course_ids 或 task_type 其中之一',
    en: 'give either course_ids or task_type, and only one of them',
  },
  'issue.current_password': { zh: '当前密码不正确', en: 'is not your current password' },
  'issue.one_file': { zh: '请只上传一个文件', en: 'takes exactly one file' },
  'issue.multipart': {
    zh: '请以 multipart/form-data 提交',
    en: 'must be multipart/form-data, complete and well formed',
  },
  'issue.empty_file': { zh: '文件是空的', en: 'is empty' },
  'issue.timezone': {
    zh: '应为 IANA 时区名，例如 Asia/Shanghai',
    en: 'must be an IANA time zone such as Europe/Berlin',
  },
  'issue.recurrence': {
    zh: '应为有效的 RRULE（RFC 5545），例如 FREQ=WEEKLY;BYDAY=MO',
    en: 'must be a recurrence rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=MO',
  },
  'issue.window_cost': {
    zh: '范围内的重复日程过多，请缩小时间范围',
    en: 'reaches over more recurring items than can be reckoned with in time: ask for a shorter window',
  },
  'issue.recurrence_start': {
    zh: '开始时间应是重复规则的第一次',
    en: 'must name start_at as its first occurrence',
  },
  'issue.attachment': {
    zh: '只能引用自己上传的或公开的文件',
    en: 'may name only files that you have uploaded, or that everybody sees',
  },
  'issue.date': {
    zh: '应为 ISO 8601 日期或时间，例如 2026-03-01T09:00:00Z',
    en: 'must be an ISO 8601 date or time such as 2026-03-01T09:00:00Z',
  },
  'issue.redirect': { zh: '不允许跳转到该地址', en: 'is not an allowed place to return to' },
  'issue.unknown': { zh: '不符合要求', en: 'does not fit' },
} satisfies Record<ErrorCode | `issue.${IssueRule}` | Lowercase<string>, Text>

export type MessageKey = keyof typeof catalogue

export function message(
  key: MessageKey,
  language: Language,
  params: Record<string, string | number> = {},
): string {
  return catalogue[key][language].replace(/\{(\w+)\}/g, (hole, name) => String(params[name] ?? hole))
}

/** Sentences in a row: Chinese puts no space between them. */
export const sentences = (language: Language, ...texts: string[]): string =>
  texts.join(language === 'zh' ? '' : ' ')
