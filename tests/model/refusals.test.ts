/** What happens when a model's API refuses: what is tried again, what is remembered, what is logged. */
import { describe, expect, test } from 'bun:test'
import { all, answerTo, KEY, ModelServer, modelOf, question, turnOf } from './support.ts'

const refuse = (status: number, error: unknown) => Response.json(error, { status })
const wantsNewer = {
  error: {
    message:
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    type: 'invalid_request_error',
    param: 'max_tokens',
    code: 'unsupported_parameter',
  },
}
const limits = ({ requests }: ModelServer) =>
  requests.map(({ max_tokens, max_completion_tokens }) =>
    max_tokens ? 'old' : max_completion_tokens ? 'new' : 'none',
  )
const ask = (model: ReturnType<typeof modelOf>, text = 'hi') => all(model.turn(turnOf([question(text)])))

describe('the name of the limit', () => {
  test('is found out once', async () => {
    using server = new ModelServer((request) => (request.max_tokens ? refuse(400, wantsNewer) : ['Hello']))
    const model = modelOf(server)
    for (let i = 0; i < 3; i++) expect(await ask(model)).toEqual([{ type: 'text', delta: 'Hello' }])
    expect(limits(server)).toEqual(['old', 'new', 'new', 'new'])
  })

  test('stays the older one where that is taken', async () => {
    using server = new ModelServer(() => ['Hello'])
    const model = modelOf(server)
    for (let i = 0; i < 2; i++) await ask(model)
    expect(limits(server)).toEqual(['old', 'old'])
  })

  test('an API that takes neither gets none', async () => {
    using server = new ModelServer((request) =>
      request.max_tokens
        ? refuse(422, { detail: [{ type: 'extra_forbidden', loc: ['body', 'max_tokens'] }] })
        : request.max_completion_tokens
          ? refuse(400, { error: { message: 'max_completion_tokens is too large: 16384' } })
          : ['Hello'],
    )
    const model = modelOf(server)
    for (let i = 0; i < 2; i++) await ask(model)
    expect(limits(server)).toEqual(['old', 'new', 'none', 'none'])
  })

  test('a refusal for another reason is not tried again, and changes nothing', async () => {
    let refuses = true
    using server = new ModelServer(() =>
      refuses
        ? refuse(400, { error: { message: 'messages: too many max_tokens, max_completion_tokens' } })
        : ['Hello'],
    )
    const model = modelOf(server)
    await expect(ask(model)).rejects.toMatchObject({ code: 'MODEL_REFUSED' })
    refuses = false
    await ask(model)
    expect(limits(server).at(-1)).toBe('old')
    using other = new ModelServer(() => refuse(400, { error: { message: 'no' } }))
    await expect(ask(modelOf(other))).rejects.toMatchObject({ code: 'MODEL_REFUSED' })
    expect(other.requests).toHaveLength(1)
  })
})

describe('what is tried again', () => {
  test.each([429, 500, 503, 529, 408])('%i, once', async (status) => {
    using server = new ModelServer((_, n) => (n === 1 ? new Response('busy', { status }) : ['Hello']))
    expect(await ask(modelOf(server))).toEqual([{ type: 'text', delta: 'Hello' }])
    expect(server.requests).toHaveLength(2)
  })

  test('an address where no server listens', async () => {
    const server = new ModelServer(() => [])
    const model = modelOf(server)
    server[Symbol.dispose]()
    await expect(ask(model)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' })
  })
})

describe('the reason, as it is logged', () => {
  const causeOf = async (status: number, body: string) =>
    (await answerTo(new Response(body, { status }))).cause

  test('says what the API says', async () => {
    expect(
      await causeOf(
        404,
        JSON.stringify({ error: { message: 'The model `gpt-9` does not exist', code: 'model_not_found' } }),
      ),
    ).toBe("the model's API answered 404: The model `gpt-9` does not exist (model_not_found)")
    expect(await causeOf(400, JSON.stringify({ detail: 'context too long' }))).toContain('context too long')
    expect(await causeOf(400, JSON.stringify([{ error: { message: 'in a list' } }]))).toContain('in a list')
    expect(await causeOf(400, JSON.stringify({ error: 'as text' }))).toContain('as text')
    expect(await causeOf(502, '<html><h1>Bad Gateway</h1></html>')).toBe(
      "the model's API answered 502: Bad Gateway",
    )
    expect(await causeOf(500, '')).toBe("the model's API answered 500")
    expect((await causeOf(400, 'x'.repeat(100_000)))!.length).toBeLessThan(600)
  })

  test('never the key', async () => {
    for (const echo of [KEY, `Bearer ${KEY}`, `sk-very-****-key`, KEY.slice(0, 12), `key=${KEY.slice(3)}`]) {
      const cause = await causeOf(
        401,
        JSON.stringify({ error: { message: `Incorrect API key provided: ${echo}.` } }),
      )
      expect(cause).toStartWith("the model's API answered 401: Incorrect API key provided: ")
      expect(cause).not.toMatch(/very|secret/)
    }
  })

  const said = 'my diagnosis is scabies; 我得了疥疮，很难受\nplease tell Anna 👩‍💻, PIN 4711'
  test.each([
    ['as it was written', JSON.stringify({ error: { message: `Invalid input: ${said}` } })],
    ['in quotes', JSON.stringify({ error: { message: `Invalid value: 'Anna'.` } })],
    ['a name', JSON.stringify({ error: { message: 'cannot process Anna here' } })],
    ['a figure', JSON.stringify({ error: { message: 'token 4711 is odd' } })],
    ['in capitals', JSON.stringify({ error: { message: 'BAD: MY DIAGNOSIS IS SCABIES' } })],
    ['in part', JSON.stringify({ error: { message: `Invalid value: diagnosis is scab…` } })],
    ['in Chinese', JSON.stringify({ error: { message: `输入无效：得了疥疮` } })],
    ['in details', JSON.stringify({ detail: [{ loc: ['body', 'messages', 1], msg: 'bad', input: said }] })],
    ['as text', `cannot parse ${said}`],
    ['as the code', JSON.stringify({ error: { message: 'bad', code: 'my diagnosis is scabies' } })],
  ])('never what somebody wrote: %s', async (_, body) => {
    using server = new ModelServer(() => new Response(body, { status: 400 }))
    const error = await ask(modelOf(server), said).catch((thrown: Error) => thrown)
    const { message } = (error as Error).cause as Error
    expect(message).toStartWith("the model's API answered 400: ")
    expect(message).not.toMatch(/diagnos|scab|Anna|4711|疥|得了|\p{Emoji_Presentation}/iu)
  })

  test('of an error in the middle of a stream', async () => {
    for (const error of [{ message: 'overloaded', code: 503 }, 'overloaded']) {
      const { fault, cause } = await answerTo([{ raw: `data: ${JSON.stringify({ error })}\n\n` }])
      expect([fault, cause]).toEqual(['MODEL_UNAVAILABLE', expect.stringContaining('overloaded')])
    }
  })

  test('never what a tool said or was given', async () => {
    using server = new ModelServer(() =>
      refuse(400, { error: { message: 'Bad: secret title, hidden result' } }),
    )
    const turn = turnOf([
      question('hi'),
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'a', name: 't', input: { title: 'secret title' } }],
      },
      { role: 'tool', toolCallId: 'a', toolName: 't', content: '{"x":"hidden result"}' },
    ])
    const error = await all(modelOf(server).turn(turn)).catch((thrown: Error) => thrown)
    expect(((error as Error).cause as Error).message).not.toMatch(/secret|hidden/)
  })
})
