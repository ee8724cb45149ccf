/** How a model's answer is read: its content, how it ends, and how long the API may send nothing. */
import { describe, expect, test } from 'bun:test'
import { answerTo, type Piece } from './support.ts'

const data = (value: unknown): Piece => ({ raw: `data: ${JSON.stringify(value)}\n\n` })
const DONE: Piece = { raw: 'data: [DONE]\n\n' }

describe('the end of an answer', () => {
  test.each([
    ['the usual end', ['Hello'], undefined],
    ['[DONE] without a reason', ['Hello', { finish: null }], undefined],
    [
      'a reason without [DONE]',
      ['Hello', { choice: { delta: {}, finish_reason: 'stop' } }, 'cut'],
      undefined,
    ],
    ['a reason that nobody knows', ['Hello', { finish: 'eos_token' }], undefined],
    ['an empty reason and [DONE]', ['Hello', { finish: '' }], undefined],
    [
      'an empty reason on every chunk',
      [{ choice: { delta: { content: 'Hello' }, finish_reason: '' } }, { finish: 'stop' }],
      undefined,
    ],
    [
      'the reason with the last word',
      [{ choice: { delta: { content: 'Hello' }, finish_reason: 'stop' } }, 'cut'],
      undefined,
    ],
    [
      'figures of use without choices',
      [
        'Hello',
        { choice: { delta: {}, finish_reason: 'stop' } },
        data({ usage: { total_tokens: 3 } }),
        DONE,
        'cut',
      ],
      undefined,
    ],
    [
      'figures of use in the middle',
      [data({ usage: null }), 'Hello', data({ choices: [], usage: {} })],
      undefined,
    ],
    ['odd chunks in between', [data({ type: 'ping' }), data([]), data(null), 'Hello'], undefined],
    ['an event of another kind', [{ raw: 'event: ping\ndata: {}\n\n' }, 'Hello'], undefined],
    [
      'another reason after the end',
      ['Hello', { choice: { delta: {}, finish_reason: 'stop' } }, { finish: 'error' }],
      undefined,
    ],
    [
      'an error after the end',
      ['Hello', { choice: { delta: {}, finish_reason: 'stop' } }, data({ error: { message: 'x' } })],
      undefined,
    ],
    [
      'nonsense after the end',
      ['Hello', { choice: { delta: {}, finish_reason: 'stop' } }, { raw: 'data: {"cho\n\n' }],
      undefined,
    ],
    [
      'an empty reason and a cut',
      ['Hello', { choice: { delta: {}, finish_reason: '' } }, 'cut'],
      'MODEL_INTERRUPTED',
    ],
    ['a cut', ['Hello', 'cut'], 'MODEL_INTERRUPTED'],
    ['nonsense before the end', ['Hello', { raw: 'data: {"cho\n\n' }], 'MODEL_INTERRUPTED'],
    [
      'an error before the end',
      ['Hello', data({ error: { message: 'overloaded', code: 529 } })],
      'MODEL_INTERRUPTED',
    ],
    ['length', ['Hello', { finish: 'length' }], 'MODEL_CUT_OFF'],
    ['max_tokens', ['Hello', { finish: 'MAX_TOKENS' }], 'MODEL_CUT_OFF'],
    ['content_filter', ['Hello', { finish: 'content_filter' }], 'MODEL_FILTERED'],
    ['SAFETY', ['Hello', { finish: 'SAFETY' }], 'MODEL_FILTERED'],
    ['error', ['Hello', { finish: 'error' }], 'MODEL_INTERRUPTED'],
  ] as [string, Piece[], string | undefined][])('%s', async (_, pieces, fault) => {
    expect(await answerTo(pieces)).toMatchObject({ text: 'Hello', fault })
  })

  test.each([
    ['nothing at all', []],
    ['white space', [' ', '\n']],
    ['thoughts alone', [{ reasoning: 'hm' }]],
    ['only [DONE]', [{ finish: null }]],
  ] as [string, Piece[]][])('empty: %s', async (_, pieces) => {
    expect(await answerTo(pieces)).toMatchObject({ text: '', fault: 'MODEL_EMPTY' })
  })

  test('nothing but a cut connection is no empty answer', async () => {
    expect((await answerTo(['cut'])).fault).toBe('MODEL_INTERRUPTED')
    expect((await answerTo([{ finish: 'length' }])).fault).toBe('MODEL_CUT_OFF')
    expect((await answerTo([{ finish: 'content_filter' }])).fault).toBe('MODEL_FILTERED')
  })

  test('calls of an answer that was cut off are not carried out; those of a finished one are', async () => {
    const call: Piece = { tool: 'list_tasks', input: {} }
    expect((await answerTo([call, { finish: 'length' }])).calls).toEqual([])
    expect((await answerTo([call, 'cut'])).calls).toEqual([])
    for (const finish of ['stop', null, 'function_call']) {
      expect(await answerTo([call, { finish }])).toMatchObject({
        calls: [{ name: 'list_tasks' }],
        fault: undefined,
      })
    }
    const trailed = await answerTo([
      call,
      { choice: { delta: {}, finish_reason: 'tool_calls' } },
      { raw: 'data: {\n\n' },
    ])
    expect(trailed).toMatchObject({ calls: [{ name: 'list_tasks' }], fault: undefined })
  })

  test('an API that stays silent after the end does not delay the answer', async () => {
    const pieces: Piece[] = ['Hello', { choice: { delta: {}, finish_reason: 'stop' } }, { pauseMs: 60_000 }]
    expect(await answerTo(pieces, { last: 50 })).toMatchObject({ text: 'Hello', fault: undefined })
  })

  test('an API that does not stream', async () => {
    const message = { role: 'assistant', content: '<think>hm</think>Hello' }
    const answer = Response.json({ choices: [{ index: 0, message, finish_reason: 'stop' }] })
    expect(await answerTo(answer)).toMatchObject({ text: 'Hello', reasoning: 'hm', fault: undefined })
    const error = await answerTo(Response.json({ error: { message: 'no such model', code: 404 } }))
    expect(error).toMatchObject({ fault: 'MODEL_REFUSED', cause: expect.stringContaining('no such model') })
  })

  const document = { choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] }
  const streamed = `: hi\n\ndata: ${JSON.stringify(document)}\n\ndata: [DONE]\n\n`
  test.each([
    ['a document that is called a stream', JSON.stringify(document), 'text/event-stream'],
    ['a document without a type', JSON.stringify(document), 'text/plain'],
    ['one document a line', `${JSON.stringify(document)}\n`, 'application/x-ndjson'],
    ['a stream that is called a document', streamed, 'application/json'],
  ])('%s', async (_, body, type) => {
    const answer = new Response(body, { headers: { 'content-type': type } })
    expect(await answerTo(answer)).toMatchObject({ text: 'Hello', fault: undefined })
  })

  test('an error that is the whole answer', async () => {
    const error = { object: 'error', message: 'context too long', type: 'BadRequestError', code: 400 }
    for (const answer of [Response.json(error), [data(error), DONE]]) {
      expect(await answerTo(answer)).toMatchObject({
        fault: 'MODEL_REFUSED',
        cause: expect.stringContaining('context too long'),
      })
    }
  })

  test.each(['\r\n', '\r', '\n'])('lines that end with %j', async (end) => {
    const lines = [
      '',
      ': hi',
      'data: {"choices":[{"delta":{"content":"Hel"}}]}',
      '',
      'data:{"choices":',
      'data:[{"delta":{"content":"lo"}}]}',
      '',
      'data: [DONE]',
      '',
    ]
    for (const size of [1, 7, 1000]) {
      const raw = lines.join(end)
      const pieces = Array.from({ length: Math.ceil(raw.length / size) }, (_, i) => ({
        raw: raw.slice(i * size, (i + 1) * size),
      }))
      expect(await answerTo([...pieces, 'cut'])).toMatchObject({ text: 'Hello', fault: undefined })
    }
  })
})

describe('silence', () => {
  const wait: Piece = { pauseMs: 60_000 }
  const keepAlive = Array.from({ length: 100 }, (): Piece[] => [
    { raw: ': still here\n\n' },
    { pauseMs: 10 },
  ]).flat()
  const roleOnly: Piece = { choice: { delta: { role: 'assistant', content: '' } } }

  test.each([
    ['headers alone', [wait]],
    ['a comment line', [{ raw: ': processing\n\n' }, wait]],
    ['comment lines', keepAlive],
    ['a chunk with the role alone', [roleOnly, wait]],
    [
      'chunks with the role alone',
      Array.from({ length: 100 }, (): Piece[] => [roleOnly, { pauseMs: 10 }]).flat(),
    ],
    ['a chunk without choices', [data({ usage: {} }), wait]],
  ] as [string, Piece[]][])('%s are no content', async (_, pieces) => {
    const started = performance.now()
    expect((await answerTo(pieces, { first: 150, next: 60_000 })).fault).toBe('MODEL_TIMEOUT')
    expect(performance.now() - started).toBeGreaterThanOrEqual(140)
  })

  test.each([
    ['headers', []],
    ['a comment line', [{ raw: ': processing\n\n' }]],
    ['a chunk with the role alone', [roleOnly]],
  ] as [string, Piece[]][])('after %s there is as much time as without', async (_, pieces) => {
    const answer = await answerTo([...pieces, { pauseMs: 400 }, 'Hello'], { first: 20_000, next: 100 })
    expect(answer).toMatchObject({ text: 'Hello', fault: undefined })
  })

  test.each([
    ['a word', ['Hel', { pauseMs: 300 }, 'lo']],
    ['a thought', [{ reasoning: 'hm' }, { pauseMs: 300 }, 'Hello']],
    ['a piece of a call', [{ tool: 'list_tasks', input: {} }, { pauseMs: 300 }, 'Hello']],
  ] as [string, Piece[]][])('%s is content', async (_, pieces) => {
    expect((await answerTo(pieces, { first: 20_000, next: 20_000 })).fault).toBeUndefined()
    expect((await answerTo(pieces, { first: 20_000, next: 100 })).fault).toBe('MODEL_TIMEOUT')
  })
})

describe('thoughts', () => {
  test.each([
    ['in a field', [{ reasoning: 'I ' }, { reasoning: 'think' }, 'Hello'], 'I think', 'Hello'],
    [
      'in a field of another name',
      [{ choice: { delta: { reasoning: 'I think' } } }, 'Hello'],
      'I think',
      'Hello',
    ],
    ['in the content', ['<think>I think</think>\n\nHello'], 'I think', 'Hello'],
    ['in capitals', ['<THINK>I think</THINK>Hello'], 'I think', 'Hello'],
    ['under another name', ['<thinking>I think</thinking>Hello'], 'I think', 'Hello'],
    ['as one thought', ['<thought>I think</thought>Hello'], 'I think', 'Hello'],
    ['as ByteDance writes it', ['<seed:think>I think</seed:think>Hello'], 'I think', 'Hello'],
    ['as reasoning', ['<reasoning>I think</reasoning>Hello'], 'I think', 'Hello'],
    ['after empty lines', ['\n', '\n<think>I think</think>', '\n', 'Hello'], 'I think', 'Hello'],
    ['several', ['<think>a</think>Hello<think>b</think> world'], 'ab', 'Hello world'],
    [
      'in parts',
      [
        {
          choice: {
            delta: {
              content: [
                { type: 'thinking', thinking: [{ type: 'text', text: 'I think' }] },
                { type: 'text', text: 'Hello' },
              ],
            },
          },
        },
      ],
      'I think',
      'Hello',
    ],
    ['none: a smaller sign', ['1 < 2 <thin> <thinker> </thank>'], '', '1 < 2 <thin> <thinker> </thank>'],
    ['none: the text ends with one', ['a <thi'], '', 'a <thi'],
    [
      'none: in code',
      ['Use `<think>` or\n```\n<think>x</think>\n```\nHello'],
      '',
      'Use `<think>` or\n```\n<think>x</think>\n```\nHello',
    ],
    ['a closing tag alone', ['Hello</think> world'], '', 'Hello world'],
  ] as [string, Piece[], string, string][])('%s', async (_, pieces, reasoning, text) => {
    expect(await answerTo(pieces)).toMatchObject({ reasoning, text, fault: undefined })
    // The same answer in pieces of one letter.
    const letters = pieces.flatMap((piece): Piece[] => (typeof piece === 'string' ? [...piece] : [piece]))
    expect(await answerTo(letters)).toMatchObject({ reasoning, text, fault: undefined })
  })

  test('that never end are no answer', async () => {
    expect(await answerTo(['<think>I thi', 'nk'])).toMatchObject({
      reasoning: 'I think',
      text: '',
      fault: 'MODEL_EMPTY',
    })
    expect(await answerTo(['<think>I', { finish: 'length' }])).toMatchObject({
      reasoning: 'I',
      text: '',
      fault: 'MODEL_CUT_OFF',
    })
  })
})

describe('calls', () => {
  const BROKEN = '{"title":"fake ev","start'

  test.each([
    ['{"a":1}', { a: 1 }],
    ['', {}],
    [' \n', {}],
    ['null', {}],
    ['{}', {}],
    [JSON.stringify('{"a":1}'), { a: 1 }],
  ])('arguments %j', async (args, input) => {
    expect((await answerTo([{ tool: 't', args }])).calls).toEqual([{ type: 'tool_call', name: 't', input }])
  })

  test.each([BROKEN, '[]', '7', '"text"', 'true', '{"a":1}}', "{'a':1}"])(
    'arguments %j are told',
    async (args) => {
      const [call] = (await answerTo([{ tool: 't', args }])).calls
      expect(call).toMatchObject({ name: 't', input: {}, problem: expect.stringContaining(args) })
    },
  )

  test('whole numbers stay exact', async () => {
    const [call] = (await answerTo([{ tool: 't', args: '{"seed":1970670598291982290}' }])).calls
    expect(JSON.stringify(call!.input)).toBe('{"seed":1970670598291982290}')
    const [odd] = (await answerTo([{ tool: 't', args: '1970670598291982290' }])).calls
    expect(odd).toMatchObject({ input: {}, problem: expect.any(String) })
  })

  const piece = (call: object): Piece => ({ choice: { delta: { tool_calls: [call] } } })
  const names = async (pieces: Piece[]) =>
    (await answerTo(pieces)).calls.map(({ name, input }) => [name, input])

  test.each([[[1]], 5, true])('arguments that are %j are told', async (args) => {
    const pieces = [piece({ index: 0, id: 'a', function: { name: 't', arguments: args } })]
    expect((await answerTo(pieces)).calls).toEqual([
      { type: 'tool_call', name: 't', input: {}, problem: expect.stringContaining(JSON.stringify(args)) },
    ])
  })

  test('calls beyond the maximum are dropped', async () => {
    const calls = Array.from({ length: 5000 }, (_, index) => ({
      index,
      id: `c${index}`,
      function: { name: 't', arguments: '{}' },
    }))
    expect((await answerTo([{ choice: { delta: { tool_calls: calls } } }])).calls).toHaveLength(1000)
  })

  test.each([
    ['no arguments at all', [piece({ index: 0, id: 'a', function: { name: 't' } })], [['t', {}]]],
    [
      'arguments that are null',
      [piece({ index: 0, id: 'a', function: { name: 't', arguments: null } })],
      [['t', {}]],
    ],
    ['an object', [piece({ id: 'a', function: { name: 't', arguments: { a: 1 } } })], [['t', { a: 1 }]]],
    [
      'pieces',
      [
        piece({ index: 0, id: 'a', function: { name: 't', arguments: '' } }),
        piece({ index: 0, function: { arguments: '{"a"' } }),
        piece({ index: 0, function: { arguments: ':1}' } }),
      ],
      [['t', { a: 1 }]],
    ],
    [
      'the name later',
      [piece({ index: 0, id: 'a' }), piece({ index: 0, function: { name: 't', arguments: '{"a":1}' } })],
      [['t', { a: 1 }]],
    ],
    [
      'the id and the name again and again',
      [
        piece({ index: 0, id: 'a', function: { name: 't', arguments: '{"a"' } }),
        piece({ index: 0, id: 'a', function: { name: 't', arguments: ':1}' } }),
      ],
      [['t', { a: 1 }]],
    ],
    [
      'two in turns',
      [
        piece({ index: 0, id: 'a', function: { name: 't', arguments: '{"a"' } }),
        piece({ index: 1, id: 'b', function: { name: 'u', arguments: '{' } }),
        piece({ index: 0, function: { arguments: ':1}' } }),
        piece({ index: 1, function: { arguments: '}' } }),
      ],
      [
        ['t', { a: 1 }],
        ['u', {}],
      ],
    ],
    [
      'two under one index',
      [
        piece({ index: 0, id: 'a', function: { name: 't', arguments: '{"a":1}' } }),
        piece({ index: 0, id: 'b', function: { name: 't', arguments: '{"a":2}' } }),
      ],
      [
        ['t', { a: 1 }],
        ['t', { a: 2 }],
      ],
    ],
    [
      'two without an index',
      [
        piece({ id: 'a', function: { name: 't', arguments: '{"a":1}' } }),
        piece({ id: 'b', function: { name: 't', arguments: '{"a":2}' } }),
      ],
      [
        ['t', { a: 1 }],
        ['t', { a: 2 }],
      ],
    ],
    [
      'two without anything',
      [
        piece({ function: { name: 't', arguments: '{"a":1}' } }),
        piece({ function: { name: 't', arguments: '{"a":2}' } }),
      ],
      [
        ['t', { a: 1 }],
        ['t', { a: 2 }],
      ],
    ],
    [
      'a name that no API takes back',
      [piece({ index: 0, id: 'a', function: { name: 'list tasks!', arguments: '{}' } })],
      [['list_tasks_', {}]],
    ],
  ] as [string, Piece[], unknown][])('%s', async (_, pieces, expected) => {
    expect(await names(pieces)).toEqual(expected as never)
  })
})
