/**
 * The list of every error and every rule of input. A new domain declares its own in `core/<domain>/errors.ts`, which
 * imports only `define.ts`, and adds one line here.
 */
import { ACCOUNT_ERRORS, ACCOUNT_RULES } from '../accounts/errors.ts'
import { AGENDA_ERRORS, AGENDA_RULES } from '../agenda/errors.ts'
import { AGENT_ERRORS } from '../agent/errors.ts'
import { CATEGORY_ERRORS } from '../categories/errors.ts'
import { COURSE_ERRORS, COURSE_RULES } from '../courses/errors.ts'
import { FILE_ERRORS, FILE_RULES } from '../files/errors.ts'
import { IDEMPOTENCY_ERRORS, IDEMPOTENCY_RULES } from '../idempotency/errors.ts'
import { LOG_ERRORS } from '../logs/errors.ts'
import { MATERIAL_ERRORS } from '../materials/errors.ts'
import { MONEY_ERRORS, MONEY_RULES } from '../money/errors.ts'
import { PHOTO_FILE_ERRORS } from '../photo-files/errors.ts'
import { PHOTO_INDEX_ERRORS } from '../photo-index/errors.ts'
import { PHOTO_ERRORS } from '../photos/errors.ts'
import { RATE_LIMIT_ERRORS } from '../rate-limits/errors.ts'
import { RECHARGE_ERRORS } from '../recharge/errors.ts'
import { SITE_ERRORS, SITE_RULES } from '../site/errors.ts'
import { STATISTICS_RULES } from '../statistics/errors.ts'
import { STUDY_ERRORS } from '../study/errors.ts'
import { SYSTEM_ERRORS } from '../system/errors.ts'
import { TAG_ERRORS } from '../tags/errors.ts'
import { TASK_ERRORS, TASK_RULES } from '../tasks/errors.ts'
import { TIMELINE_ERRORS } from '../timeline/errors.ts'
import { VERIFICATION_ERRORS, VERIFICATION_RULES } from '../verification/errors.ts'
import { WEBHOOK_ERRORS, WEBHOOK_RULES } from '../webhooks/errors.ts'
import { joinLists } from './define.ts'
import { GENERAL_ERRORS, GENERAL_RULES } from './general.ts'

export const ERRORS = joinLists(
  GENERAL_ERRORS,
  IDEMPOTENCY_ERRORS,
  LOG_ERRORS,
  RATE_LIMIT_ERRORS,
  SYSTEM_ERRORS,
  MONEY_ERRORS,
  ACCOUNT_ERRORS,
  RECHARGE_ERRORS,
  VERIFICATION_ERRORS,
  FILE_ERRORS,
  MATERIAL_ERRORS,
  COURSE_ERRORS,
  PHOTO_INDEX_ERRORS,
  PHOTO_FILE_ERRORS,
  SITE_ERRORS,
  TAG_ERRORS,
  CATEGORY_ERRORS,
  PHOTO_ERRORS,
  TIMELINE_ERRORS,
  TASK_ERRORS,
  STUDY_ERRORS,
  AGENDA_ERRORS,
  AGENT_ERRORS,
  WEBHOOK_ERRORS,
)
export type ErrorCode = keyof typeof ERRORS

export const RULES = joinLists(
  GENERAL_RULES,
  IDEMPOTENCY_RULES,
  MONEY_RULES,
  ACCOUNT_RULES,
  VERIFICATION_RULES,
  FILE_RULES,
  COURSE_RULES,
  SITE_RULES,
  TASK_RULES,
  AGENDA_RULES,
  WEBHOOK_RULES,
  STATISTICS_RULES,
)
/** The name of a rule that input can break. */
export type IssueRule = keyof typeof RULES
