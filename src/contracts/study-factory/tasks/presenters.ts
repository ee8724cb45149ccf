import type { MessageKey } from '../../../core/messages.ts'
import type { TaskDetail } from '../../../core/tasks/tasks.ts'
import { languageOf } from '../../../http/language.ts'
import { factory } from '../../factory/contract.ts'
import * as ofFactory from '../../factory/tasks/presenters.ts'
import * as ofStudy from '../../study/tasks/presenters.ts'
import { both } from '../both.ts'

/** The answer that shows one task. */
export function presentOneTask(request: Request, task: TaskDetail, key?: MessageKey) {
  const language = languageOf(request, factory.language)
  return both(
    request,
    ofStudy.presentTaskDetail(task, language),
    ofFactory.presentTaskDetail(task, language),
    key,
  )
}
