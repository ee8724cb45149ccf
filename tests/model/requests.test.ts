/** Requests to a model: always valid for the strictest API and within the size limit, whatever the conversation. */
import { describe, expect, test } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { chatRequest } from '../../src/model/chat-request.ts'
import type { ChatMessage } from '../../src/model/model.ts'
import type { JsonObject } from '../../src/util/json.ts'
import { Random } from '../support/random.ts'
import { faultsOf, type ModelRequest } from '../support/strict-chat.ts'
import { question, turnOf } from './support.ts'

const TOOLS = [{ name: 'tool', description: 'Does it.', input: Type.Object({ a: Type.String() }) }]
const sent = (messages: ChatMessage[]) => {
  const request = { model: 'm', ...chatRequest(turnOf(messages, TOOLS)) } as ModelRequest
  expect(faultsOf(request)).toEqual([])
  return request.messages.slice(1)
}
const answer = (content: string): ChatMessage => ({ role: 'assistant', content, toolCalls: [] })
let ids = 0
const used = (input: JsonObject, result: string, name = 'tool', content = ''): ChatMessage[] => {
  const id = `id${ids++}`
  return [
    { role: 'assistant', content, toolCalls: [{ id, name, input }] },
    { role: 'tool', toolCallId: id, toolName: name, content: result },
  ]
}

test('a question that nobody answered goes with the next one; two answers are one', () => {
  expect(sent([question('a'), question('b'), answer('c'), answer('d'), question('e')])).toEqual([
    { role: 'user', content: 'a\n\nb' },
    { role: 'assistant', content: 'c\n\nd' },
    { role: 'user', content: 'e' },
  ])
})

test('an answer without words is left out; one before a call joins it', () => {
  expect(sent([question('a'), answer(''), question('b'), answer('c'), ...used({}, '1')])).toMatchObject([
    { role: 'user', content: 'a\n\nb' },
    { role: 'assistant', content: 'c', tool_calls: [{}] },
    { role: 'tool', content: '1' },
  ])
})

test('names, halves of characters and empty results are mended', () => {
  sent([question('half \ud83d'), ...used({ 'k\ud83d': ['\ude00'] }, '', 'list tasks!'), ...used({}, 'x', '')])
})

describe('the limit counts everything', () => {
  const long = (n: number) => 'x"\n中'.repeat(n / 4)

  test('inputs of tools', () => {
    const messages = [
      ...Array.from({ length: 10 }, () => [
        question('q'),
        ...used({ text: long(17_000) }, '1'),
        answer('a'),
      ]).flat(),
      question('last'),
    ]
    const request = sent(messages)
    expect(request.length).toBeGreaterThan(1)
    expect(request.at(-1)).toEqual({ role: 'user', content: 'last' })
  })

  test('results, and questions that nobody answered', () => {
    sent(Array.from({ length: 20 }, () => question(long(8000))))
    sent([
      ...Array.from({ length: 20 }, () => [question('q'), ...used({}, long(16_000))]).flat(),
      question('last'),
    ])
  })

  test('all of one answer in the making: the question stays whole, the newest result longest', () => {
    const asked = long(8000)
    const messages = [
      question('before'),
      answer('before'),
      question(asked),
      ...Array.from({ length: 80 }, (_, i) =>
        used({ n: i, text: long(5000) }, long(16_000), 'tool', long(3000)),
      ).flat(),
      ...used({}, `newest ${long(4000)}`),
    ]
    const request = sent(messages)
    expect(request[0]).toEqual({ role: 'user', content: asked })
    expect(request.filter(({ role }) => role === 'tool')).toHaveLength(81)
    expect(String(request.at(-1)!.content).length).toBeGreaterThanOrEqual(200)
  })

  test('what fits stays as it is', () => {
    const messages = [question('a'), ...used({ text: long(9000) }, long(9000)), answer('b'), question('c')]
    expect(JSON.stringify(sent(messages))).toContain(JSON.stringify(long(9000)).slice(1, -1))
  })
})

test('whatever was said, a strict API takes it', () => {
  const random = new Random(36)
  for (let round = 0; round < 200; round++) {
    const messages: ChatMessage[] = []
    for (let i = random.between(0, 30); i > 0; i--) {
      const text = 'ab\ud83d 😀"\\'.repeat(random.between(0, 1500))
      if (random.chance(0.4)) messages.push(question(text || 'q'))
      else if (random.chance(0.5)) messages.push(answer(text))
      else messages.push(...used({ text }, text, random.chance(0.5) ? 'tool' : 'odd name'))
    }
    // A run begins with a message of the user.
    sent([question('first'), ...messages, question('last')])
  }
})
