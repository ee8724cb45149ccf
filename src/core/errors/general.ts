/** Errors and rules of input that belong to no domain. */
import { defineErrors, defineTexts } from './define.ts'

export const GENERAL_ERRORS = defineErrors({
  NOT_FOUND: { kind: 'not_found', zh: '找不到请求的内容', en: 'The requested resource does not exist' },
  METHOD_NOT_ALLOWED: {
    kind: 'method_not_allowed',
    zh: '此地址不支持该方法',
    en: 'This address does not support this method',
  },
  NAME_TAKEN: { kind: 'conflict', zh: '该名称已被使用', en: 'This name is taken' },
  VALIDATION_FAILED: { kind: 'invalid', zh: '提交的内容不符合要求', en: 'The request is not valid' },
  PAYLOAD_TOO_LARGE: {
    kind: 'too_large',
    zh: '请求内容过大（上限 {limit} 字节）',
    en: 'The body is larger than {limit} {limit|byte|bytes}',
  },
  CLIENT_CLOSED: { kind: 'closed', zh: '客户端中断了请求', en: 'The client broke off the request' },
  DATABASE_UNAVAILABLE: {
    kind: 'unavailable',
    zh: '服务暂时不可用，请稍后重试',
    en: 'The service is not available at the moment; try again soon',
  },
  INTERNAL: { kind: 'internal', zh: '服务器内部出错', en: 'Something went wrong on the server' },
})

export const GENERAL_RULES = defineTexts({
  required: { zh: '不能为空', en: 'is required' },
  type: { zh: '类型应为 {expected}', en: 'must be of type {expected}' },
  min_length: { zh: '至少需要 {limit} 个字符', en: 'needs at least {limit} {limit|character|characters}' },
  max_length: { zh: '不能超过 {limit} 个字符', en: 'may have at most {limit} {limit|character|characters}' },
  minimum: { zh: '不能小于 {limit}', en: 'must be at least {limit}' },
  maximum: { zh: '不能大于 {limit}', en: 'must be at most {limit}' },
  min_items: { zh: '至少需要 {limit} 项', en: 'needs at least {limit} {limit|item|items}' },
  max_items: { zh: '不能超过 {limit} 项', en: 'may have at most {limit} {limit|item|items}' },
  email: { zh: '请填写有效的邮箱地址', en: 'must be an email address' },
  format: { zh: '格式不正确', en: 'has the wrong format' },
  choice: { zh: '应为以下之一：{choices}', en: 'must be one of: {choices}' },
  date: {
    zh: '应为 ISO 8601 日期或时间，例如 2026-03-01T09:00:00Z',
    en: 'must be an ISO 8601 date or time such as 2026-03-01T09:00:00Z',
  },
  calendar_date: { zh: '应为存在的日期，格式为 YYYY-MM-DD', en: 'must be a date that exists, as YYYY-MM-DD' },
  json: { zh: '不是有效的 JSON', en: 'is not valid JSON' },
  json_object: {
    zh: '应为 JSON 对象，并以 Content-Type: application/json 发送',
    en: 'must be a JSON object, sent with Content-Type: application/json',
  },
  characters: { zh: '含有无法保存的字符', en: 'contains characters that cannot be stored' },
  depth: { zh: '嵌套不能超过 {limit} 层', en: 'may be nested at most {limit} {limit|level|levels} deep' },
  number: {
    zh: '数字 {number} 过大，无法保存',
    en: 'contains {number}, which is too large to be stored; send it as a string',
  },
  multipart: {
    zh: '请以 multipart/form-data 提交',
    en: 'must be multipart/form-data, complete and well formed',
  },
  unknown: { zh: '不符合要求', en: 'is not valid' },
})
