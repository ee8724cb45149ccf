/** Requests that the trees of `api()` cannot send: streams, texts, and JSON whose numbers have to stay exact. */
import { errorOf, unanswered } from '../../../client/index.ts'
import { api } from './session.ts'

/** @throws RoostError when no answer comes; an answer with an error is returned */
export async function send(path: string, init?: RequestInit): Promise<Response> {
  try {
    return await api().fetch(path, init)
  } catch (error) {
    throw unanswered(error)
  }
}

/** @throws RoostError also with what the server refuses */
export async function request(path: string, init?: RequestInit): Promise<Response> {
  const answer = await send(path, init)
  if (answer.ok) return answer
  throw errorOf(answer.status, await answer.json().catch(() => undefined), answer.headers)
}
