/**
 * Everything that the server writes to people. A new domain declares its texts in `core/<domain>/messages.ts` and adds
 * one line to the list; the texts of errors and of rules stand beside them (`core/errors/catalogue.ts`).
 */
import type { Language } from '../util/language.ts'
import { ACCOUNT_MESSAGES } from './accounts/messages.ts'
import { AGENT_MESSAGES } from './agent/messages.ts'
import { COURSE_MESSAGES } from './courses/messages.ts'
import { ERRORS, type ErrorCode, type IssueRule, RULES } from './errors/catalogue.ts'
import { defineTexts, type ErrorValue, joinLists } from './errors/define.ts'
import type { Text } from './language.ts'
import { MATERIAL_MESSAGES } from './materials/messages.ts'
import { MONEY_MESSAGES } from './money/messages.ts'
import { NODE_MESSAGES } from './nodes/messages.ts'
import { PHOTO_FILE_MESSAGES } from './photo-files/messages.ts'
import { SYSTEM_MESSAGES } from './system/messages.ts'
import { TAG_MESSAGES } from './tags/messages.ts'
import { TASK_MESSAGES } from './tasks/messages.ts'

export type { Language }

export const MESSAGES = joinLists(
  defineTexts({ ok: { zh: '操作已完成', en: 'Done' }, success: { zh: '成功', en: 'Success' } }),
  SYSTEM_MESSAGES,
  MONEY_MESSAGES,
  ACCOUNT_MESSAGES,
  MATERIAL_MESSAGES,
  COURSE_MESSAGES,
  PHOTO_FILE_MESSAGES,
  NODE_MESSAGES,
  TAG_MESSAGES,
  TASK_MESSAGES,
  AGENT_MESSAGES,
)
type TextKey = keyof typeof MESSAGES

/** The key of a text: of a message, of an error, or of a rule with `issue.` before it. */
export type MessageKey = TextKey | ErrorCode | `issue.${IssueRule}`

/** `{name}`, or `{name|singular|plural}` for the word after a number. */
const PLACEHOLDER = /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g

/** The text with its parameters filled in. */
export function message(
  key: MessageKey,
  language: Language,
  params: Record<string, ErrorValue> = {},
): string {
  return textOf(key)[language].replace(PLACEHOLDER, (placeholder, name, singular, plural) => {
    const value = params[name]
    if (plural !== undefined) return Number(value) === 1 ? singular : plural
    return String(value ?? placeholder)
  })
}

function textOf(key: MessageKey): Text {
  if (Object.hasOwn(ERRORS, key)) return ERRORS[key as ErrorCode]
  if (key.startsWith('issue.')) return RULES[key.slice('issue.'.length) as IssueRule]
  return MESSAGES[key as TextKey]
}

/** Joins sentences to one text: Chinese puts no space between them. */
export const sentences = (language: Language, ...texts: string[]): string =>
  texts.join(language === 'zh' ? '' : ' ')
