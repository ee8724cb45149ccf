import { defineTexts } from '../errors/define.ts'

export const AGENT_MESSAGES = defineTexts({
  confirm_how: {
    zh: '回复“是”确认，其他回复则不执行。',
    en: 'Answer “yes” to confirm. With any other answer, nothing is done.',
  },
  confirmation_yes: { zh: '是', en: 'Yes' },
  confirmation_no: { zh: '否', en: 'No' },
  agent_model_unavailable: {
    zh: '语言模型暂时无法访问，请稍后重试',
    en: 'The language model can’t be reached at the moment; try again later',
  },
  agent_model_rate_limited: {
    zh: '语言模型请求过多，请稍后重试',
    en: 'The language model gets too many requests; try again later',
  },
  agent_model_refused: {
    zh: '语言模型拒绝了请求，请联系管理员检查配置',
    en: 'The language model refused the request; an administrator should check its settings',
  },
  agent_model_interrupted: {
    zh: '语言模型的回答中途断开',
    en: 'The answer of the language model was cut off in the middle',
  },
  agent_model_timeout: { zh: '语言模型响应超时', en: 'The language model took too long to answer' },
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
})
