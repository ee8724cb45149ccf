import { type Language, type MessageKey, message } from '../messages.ts'

/** Values for the text. `detail` is the text of a node or a task and is the same in every language. */
export type FailureParams = Record<string, string | number>

/**
 * Why an attempt or a task ended without success: a code with parameters, of which the server makes a text for each
 * reader.
 */
export interface Failure {
  code: FailureCode
  params: FailureParams
}

const TEXTS = {
  /** The text of the node or the task is all that is known. */
  reported: 'failure_reported',
  exited: 'failure_exited',
  killed: 'failure_killed',
  timed_out: 'failure_timed_out',
  cancelled: 'failure_cancelled',
  result_invalid: 'failure_result_invalid',
  result_too_large: 'failure_result_too_large',
  result_too_deep: 'failure_result_too_deep',
  node_restarted: 'failure_node_restarted',
  node_replaced: 'failure_node_replaced',
  node_gave_back: 'failure_node_gave_back',
  node_silent: 'failure_node_silent',
  node_offline: 'failure_node_offline',
  node_disconnected: 'failure_node_disconnected',
  node_removed: 'failure_node_removed',
  cannot_start: 'failure_cannot_start',
  time_limit: 'failure_time_limit',
  /** An administrator cancelled the task, with a reason if they gave one. */
  force_stopped: 'failure_force_stopped',
  item_not_open: 'failure_item_not_open',
  course_account_refused: 'failure_course_account_refused',
  course_account_missing: 'failure_course_account_missing',
  // The following appear only in log lines.
  refused: 'log_refused',
  log_limit: 'log_limit',
  log_lost: 'log_lost',
  study_started: 'log_study_started',
  study_item: 'log_study_item',
  study_waiting: 'log_study_waiting',
  study_unreachable: 'log_study_unreachable',
  study_skipped: 'log_study_skipped',
  study_paused: 'log_study_paused',
  study_resumed: 'log_study_resumed',
  study_moved: 'log_study_moved',
  study_completed: 'log_study_completed',
} as const satisfies Record<string, MessageKey>

export type FailureCode = keyof typeof TEXTS

export const failure = (code: FailureCode, params: FailureParams = {}): Failure => ({ code, params })

/** The text of a failure. An exit code, the number of lost attempts and the reason of a person follow it. */
export function failureText({ code, params }: Failure, language: Language): string {
  const notes = [
    ...(params.exitCode !== undefined && code !== 'exited' ? (['note_exit_code'] as const) : []),
    ...(params.signal !== undefined && code !== 'killed' ? (['note_signal'] as const) : []),
    ...(params.attempts !== undefined ? (['note_attempts'] as const) : []),
    ...(params.reason !== undefined ? (['note_reason'] as const) : []),
  ]
  return [TEXTS[code], ...notes]
    .map((key) => message(key, language, params))
    .join(language === 'zh' ? '' : ' ')
}

/** As it is stored: the text in English, and the code with its parameters for other languages. */
export interface StoredFailure {
  text: string | null
  code: string | null
  params: FailureParams | null
}

/** A stored text in the reader's language. Without a code, or with a code of a newer server, the text stays as it is. */
export function storedText({ text, code, params }: StoredFailure, language: Language): string | null {
  if (code === null || !Object.hasOwn(TEXTS, code)) return text
  return failureText({ code: code as FailureCode, params: params ?? {} }, language)
}

/** A node's report that a task failed. */
export interface ReportedFailure {
  error: string
  code?: string | undefined
  exitCode?: number | undefined
  signal?: string | undefined
  seconds?: number | undefined
  limit?: number | undefined
}

/** For a code that the server knows, the server makes the text. Otherwise the text of the task stays as it is. */
export function reportedFailure(report: ReportedFailure): Failure {
  const { error, code, exitCode, signal, seconds, limit } = report
  const ended = {
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
  }
  if (code === 'exited' && signal !== undefined) return failure('killed', { signal })
  if (code === 'exited' && exitCode !== undefined) return failure('exited', { exitCode })
  if (code === 'timed_out' && seconds !== undefined) return failure(code, { seconds })
  if (code === 'cancelled' || code === 'result_invalid') return failure(code, ended)
  if ((code === 'result_too_large' || code === 'result_too_deep') && limit !== undefined) {
    return failure(code, { limit })
  }
  return failure('reported', { detail: error, ...ended })
}

/** The exit code of the task's program, when the failure has one. */
export const exitCode = (params: FailureParams | null): number | null =>
  typeof params?.exitCode === 'number' ? params.exitCode : null
