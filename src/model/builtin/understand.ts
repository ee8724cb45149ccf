import type { Language } from '../../util/language.ts'
import { agenda, isAddition, placeOfAgenda, removesItem, speaksOfAgenda } from './agenda.ts'
import { call, type Intent, type Place } from './intent.ts'
import { moodOf } from './mood.ts'
import { start, startsByName, startsTask, TASK, tasks } from './tasks.ts'
import { findTimes } from './when.ts'
import { says, WORDS } from './words.ts'

export const languageOfText = (text: string, fallback: Language): Language =>
  /\p{Script=Han}/u.test(text) ? 'zh' : /[a-z]{2}/i.test(text) ? 'en' : fallback

const LONGEST = 1000
const GPU = /\bgpus?\b|显卡|算力|集群|节点|\b(?:cluster|nodes?|servers?)\b/i
const UPLOADS = /上传|课件|材料|资料|文件|\b(?:uploads|uploaded|materials?|files?)\b/i
const GREETING =
  /^(?:你好|您好|嗨|哈喽|帮助|你(?:能|会)做什么|hi|hello|hey|help|what can you do|(?=[?？]))[呀啊\s!！?？.。,，]*$/i
// An apostrophe opens a quotation only where a word can begin, so “what's” contains none.
const QUOTED =
  /["“「『《]([^"”」』》]{1,255})["”」』》]|(?<=^|[\s,:;]|\p{Script=Han})['‘]([^'’]{1,255}(?:['’]\w[^'’]{0,255})?)['’](?!\w)/u
const NAMED =
  /(?:叫做?|名为|标题(?:是|为)?|\b(?:called|named|titled)\b)\s*[:：]?\s*([^\s,，。.;；]{1,100}?)(?=的(?:测试|视频)|[\s,，。.;；]|$)/i

/** Reads a request in Chinese or English. A request that it does not fully understand is `unknown`. */
export function understand(message: string, place: Place): Intent {
  const text = message.normalize('NFKC').trim()
  // No request is that long, and the patterns take too long for such a text.
  if (text.length > LONGEST) return { kind: 'unknown' }
  const quoted = QUOTED.exec(text)
  const named = quoted?.[1] ?? quoted?.[2] ?? NAMED.exec(text)?.[1]
  // Text in quotation marks or after “called” is a name and no part of the request.
  const request = quoted ? text.replace(QUOTED, ' ') : text.replace(NAMED, ' ')
  const intent = intentOf(request, text, named, place)
  // No tool finds an object by its name.
  const isIgnored = named !== undefined && intent.kind === 'call' && !GETS_NAME.has(intent.name)
  return isIgnored ? { kind: 'unknown' } : intent
}

const GETS_NAME = new Set(['create_task', 'add_schedule_item'])

function intentOf(request: string, text: string, named: string | undefined, place: Place): Intent {
  const taskAt = request.search(TASK)
  const agendaAt = placeOfAgenda(request)
  const adds = isAddition(request, findTimes(request, place))
  // The first noun counts: “a meeting about tasks” is a meeting, “a task for a meeting” is a task.
  const isAgenda = agendaAt >= 0 && (agendaAt < taskAt || (adds && !startsTask(request)))
  if ((taskAt >= 0 || startsTask(request)) && !isAgenda) return tasks(request, named)
  if (isAgenda || adds || removesItem(request)) return agenda(request, named, place)
  if (startsByName(request) && moodOf(request) === 'told') return start(request, named)
  if (GPU.test(request)) return look('gpu_overview', says(request, WORDS.gpus))
  if (speaksOfAgenda(request)) return agenda(request, named, place)
  if (UPLOADS.test(request)) return look('list_uploads', says(request, WORDS.uploads))
  return { kind: GREETING.test(text) ? 'greeting' : 'unknown' }
}

const look = (name: string, isUnderstood: boolean): Intent =>
  isUnderstood ? call(name, {}) : { kind: 'unknown' }
