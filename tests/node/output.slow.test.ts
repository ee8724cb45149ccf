import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FakeServer } from './fake-server.ts'
import { cleanUpAfterEach, fakeServer, shell, startNode, temporaryDirectory } from './support.ts'

cleanUpAfterEach()

let tasks = 0
/** Runs a shell script as a task until it ends. */
async function run(server: FakeServer, script: string) {
  const file = join(temporaryDirectory(), 'script.sh')
  writeFileSync(file, script)
  const id = `t${tasks++}`
  server.assign(id, 'run', { file })
  await server.until(
    () => server.of('completed', id).length + server.of('failed', id).length > 0,
    `end of ${script}`,
  )
  const [completed] = server.of('completed', id)
  const [failed] = server.of('failed', id)
  const logs = server.of('log', id)
  return {
    result: completed?.result,
    failed,
    logs,
    log: logs.map(({ level, message }) => `${level} ${message}`),
  }
}

async function node() {
  const server = fakeServer()
  const script = `sh "$(sed 's/.*"file":"\\([^"]*\\)".*/\\1/')"`
  await startNode(server, { run: shell(script) }, { maxConcurrentTasks: 30 })
  await server.frame('heartbeat')
  return server
}

const python = (code: string) => `python3 - <<'END'\nimport json\n${code}\nEND`

test('a result may stand on one line or on many, and numbers that JSON lacks are null', async () => {
  const server = await node()
  const cases: [string, Record<string, unknown>][] = [
    [`echo '{"result":{"loss":NaN}}'`, { loss: null }],
    [
      `echo '{"result": {"a": Infinity, "b": -Infinity, "c": "NaN, Infinity"}}'`,
      { a: null, b: null, c: 'NaN, Infinity' },
    ],
    [
      python('print(json.dumps({"result": {"loss": float("nan"), "n": [1, {"x": "}{"}]}}, indent=2))'),
      { loss: null, n: [1, { x: '}{' }] },
    ],
    [python('print(json.dumps({"result": {}}, indent=4))'), {}],
    [`printf '{\\n\\n\\t"result":\\n{"a":\\n1}\\n}'`, { a: 1 }],
    [`printf '{"result": {"a": 1}}'`, { a: 1 }],
    [`printf '{"progress": 5}{"result": {"a": 1}} {"progress": 6}\\n'`, { a: 1 }],
    [`printf '{\\r\\n"result": {"a": 1}\\r\\n}\\r\\n'`, { a: 1 }],
    [`printf '  50%%\\r{"result": {"a": 1}}\\n'`, { a: 1 }],
    // A progress bar that does not move, or that erases itself, is written over in pieces.
    [`printf '  50%%\\r{"result": {"a": 1}}'`, { a: 1 }],
    [`printf '  50%%\\r     \\r'; sleep 0.1; printf '{"result": {"a": 1}}'; sleep 0.1; echo`, { a: 1 }],
    [`printf '{"result": {"a": 1}}\\r'; sleep 0.1; printf ' 99%%\\rdone\\n'`, { a: 1 }],
    [`printf '{"result": {"a": 1}}\\r\\r\\n'`, { a: 1 }],
    // A line that could begin an object, but does not.
    [`echo '{'; echo '{"result": {"a": 1}}'`, { a: 1 }],
    [`echo '{"lr": '; printf '{\\n "result": {"a": 1}\\n}\\n'`, { a: 1 }],
    [`echo '{"lr": '; echo '{"a": 1}, '; echo '"x": '; echo '{"result": {"a": 1}}'`, { a: 1 }],
    // A process that keeps the output open does not delay the result.
    [`printf '{"result": {"a": 1}}'; setsid sleep 4 &`, { a: 1 }],
    [
      python('print(json.dumps({"result": {"list": list(range(60000))}}, indent=8))'),
      { list: Array.from({ length: 60_000 }, (_, i) => i) },
    ],
  ]
  await Promise.all(
    cases.map(async ([script, result]) => expect((await run(server, script)).result).toEqual(result)),
  )
}, 30_000)

test('a result that cannot be taken fails the task with a sentence', async () => {
  const server = await node()
  const sentence = (text: string, code: string, limit?: number) => ({
    error: expect.stringContaining(text),
    code,
    ...(limit && { limit }),
  })
  const cases: [string, ReturnType<typeof sentence>][] = [
    [`echo '{"result": [1]}'`, sentence('no JSON object', 'result_invalid')],
    [`echo '{"result": NaN}'`, sentence('no JSON object', 'result_invalid')],
    [`echo '{"result": 1970670598291982290}'`, sentence('no JSON object', 'result_invalid')],
    [`echo "{'result': {'loss': 1.5}}"`, sentence('not valid JSON', 'result_invalid')],
    [
      python('import pprint; pprint.pprint({"result": {"a" * 60: 1, "b" * 60: 2}})'),
      sentence('not valid JSON', 'result_invalid'),
    ],
    [`echo '{"result": {"a": 1,}}'`, sentence('not valid JSON', 'result_invalid')],
    // Other keys stand before the result, with objects in them.
    [`echo "{'it': 'a \\"b', 'm': {'x': [1]}, 'result': {}}"`, sentence('not valid JSON', 'result_invalid')],
    [`echo '{"status": "ok", "result" : {"a": 1,}}'`, sentence('not valid JSON', 'result_invalid')],
    [
      `printf '{\\n"status": "ok",\\n"result":\\n{"a": undefined}}\\n'`,
      sentence('not valid', 'result_invalid'),
    ],
    [`echo '{"status": "ok", "result": {"a": 1}'`, sentence('not complete', 'result_invalid')],
    [
      python('print(json.dumps({"status": "ok", "result": {"list": ["word"] * 400000}}, indent=2))'),
      sentence('larger than', 'result_too_large', 523_264),
    ],
    [
      `echo '{'; echo '"result": {"a":'; echo 'a line of another thread'; echo '1}}'`,
      sentence('not valid JSON', 'result_invalid'),
    ],
    [`echo '{'; echo '  "result": {"a": 1'`, sentence('not complete', 'result_invalid')],
    [`printf '{"result": {"a": '`, sentence('not complete', 'result_invalid')],
    [
      python('print("{\\"result\\": {\\"a\\": \\"" + "a" * 600000 + "\\"}}")'),
      sentence('larger than', 'result_too_large', 523_264),
    ],
    [
      python('print("{\\"result\\": {\\"a\\": \\"" + "a" * 3000000 + "\\"}}")'),
      sentence('larger than', 'result_too_large', 523_264),
    ],
    [
      python('print(json.dumps({"result": {"list": ["word"] * 400000}}, indent=2))'),
      sentence('larger than', 'result_too_large', 523_264),
    ],
    [
      python('print("{\\"result\\": " + "{\\"a\\":" * 100 + "1" + "}" * 101)'),
      sentence('levels', 'result_too_deep', 63),
    ],
  ]
  await Promise.all(
    cases.map(async ([script, expected]) =>
      expect((await run(server, script)).failed).toMatchObject(expected),
    ),
  )
}, 30_000)

test('the last result counts; the log says what happened to the others', async () => {
  const server = await node()
  const twice = await run(server, `echo '{"result": {"n": 1}}'; echo '{"result": {"n": 2}}'`)
  expect(twice.result).toEqual({ n: 2 })
  expect(twice.log).toEqual(['WARNING the task printed 2 results: the last one counts'])

  const mended = await run(server, `echo "{'result': 1}"; echo '{"result": {"n": 2}}'`)
  expect(mended.result).toEqual({ n: 2 })

  const exited = await run(server, `echo '{"result": {"loss": 0.5}}'; exit 3`)
  expect(exited.failed).toMatchObject({ error: 'exited with code 3', exit_code: 3 })
  expect(exited.log).toEqual([
    'WARNING the task printed a result and failed, so the result does not count: {"loss":0.5}',
  ])

  const both = await run(server, `echo '{"result": {"loss": 0.5}}'; echo '{"error": "no"}'`)
  expect(both.failed).toMatchObject({ error: 'no' })
  expect(both.log.at(-1)).toContain('{"loss":0.5}')
})

test('a result in the wrong place is a line in the log, with an explanation', async () => {
  const server = await node()
  for (const script of [
    `echo 'INFO done: {"result": {"a": 1}}'`,
    `echo '{"result": {"a": 1}}' >&2`,
    `echo '[{"result": {"a": 1}}]'`,
    `printf 'done: {\\n"status": 1, "result": {"a": 1}}\\n'`,
    `echo "status: {'loss': 1, 'result': {'a': 1}}"`,
    python('print(json.dumps(json.dumps({"status": 1, "result": {}})))'),
  ]) {
    const { result, log } = await run(server, script)
    expect(result).toEqual({})
    expect(log.at(-2)).toMatch(/result.*:/)
    expect(log.at(-1)).toStartWith('WARNING a line contains a result and is not one')
  }
})

test('lines that a task writes over are read, too', async () => {
  const server = await node()
  const bar = `for i in 10 20 30; do printf '{"progress": %s}\\r' $i; sleep 0.3; done; exit 3`
  const { failed, log } = await run(server, bar)
  expect(failed).toMatchObject({ exit_code: 3 })
  expect(server.of('progress').map(({ progress }) => progress)).toContain(30)
  expect(log).toEqual([])
  const nested = await run(server, `echo "{'metrics': {'result': 1}}"`)
  expect(nested.failed).toBeUndefined()
})

test('a task that succeeds without a result has an empty one; other JSON is a line of its log', async () => {
  const server = await node()
  const quiet = await run(server, 'exit 0')
  expect(quiet).toMatchObject({ result: {}, log: [] })
  const { result, log } = await run(
    server,
    python(
      `print(json.dumps({"lr": 0.1, "tags": ["a"]}, indent=2)); print("{epoch 3}"); print("{"); print("bye")`,
    ),
  )
  expect(result).toEqual({})
  expect(log.map((line) => line.replace('INFO ', '').trim())).toEqual([
    '{',
    '"lr": 0.1,',
    '"tags": [',
    '"a"',
    ']',
    '}',
    '{epoch 3}',
    '{',
    'bye',
  ])
})

test('whole numbers stay exact, from the assignment to the task and from its result to the server', async () => {
  const server = fakeServer()
  const file = join(temporaryDirectory(), 'echo.py')
  writeFileSync(file, 'import json, sys\nprint(json.dumps({"result": json.load(sys.stdin)["config"]}))\n')
  await startNode(server, { echo: { command: ['python3', file], env: { PATH: process.env.PATH ?? '' } } })
  await server.frame('heartbeat')
  const config =
    '{"seed":1970670598291982290,"list":[-9007199254740993,1,0.5],"huge":123456789012345678901234567890}'
  const assign = {
    type: 'assign',
    task_id: 't',
    attempt: 1,
    task_type: 'echo',
    config: {},
    estimated_duration: null,
  }
  server.sendText(JSON.stringify(assign).replace('"config":{}', `"config":${config}`))
  await server.frame('completed', 't')
  const text = server.texts.find((line) => line.includes('"completed"')) ?? ''
  expect(text).toContain(`"result":${config}`)
})

test('log levels are understood in any case, and by the names of other loggers', async () => {
  const server = await node()
  const levels = [
    'warn',
    'Error',
    'WARNING',
    'fatal',
    'notice',
    'trace',
    'Critical',
    'debug',
    ' info ',
    'loud',
  ]
  const lines = [
    ...levels.map((level) => JSON.stringify({ log: { level, message: 'm' } })),
    '{"log":{"level":40,"message":"m"}}',
    '{"log":{"message":"m"}}',
    '{"log":"m"}',
  ]
  const { logs } = await run(server, lines.map((line) => `echo '${line}'`).join('\n'))
  expect(logs.map(({ level }) => level)).toEqual([
    'WARNING',
    'ERROR',
    'WARNING',
    'CRITICAL',
    'INFO',
    'DEBUG',
    'CRITICAL',
    'DEBUG',
    'INFO',
    'INFO',
    'ERROR',
    'INFO',
    'INFO',
  ])
})

test('a progress bar is logged as it stands, at most once a second, and its end once', async () => {
  const server = await node()
  const bar = `import sys, time
for i in range(151):
    sys.STREAM.write("\\r%3d%%|bar| %d/150" % (i * 100 // 150, i)); sys.STREAM.flush(); time.sleep(0.01)
sys.STREAM.write("\\n"); print("after", flush=True)`
  const draw = async (stream: string) => {
    const started = performance.now()
    const { log, failed } = await run(server, python(bar.replaceAll('STREAM', stream)))
    const seconds = (performance.now() - started) / 1000
    expect(failed).toBeUndefined()
    const states = log.filter((line) => line.includes('|bar|'))
    expect(states.length).toBeGreaterThanOrEqual(2)
    expect(states.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
    expect(states.every((line) => /^INFO +\d+%\|bar\| \d+\/150$/.test(line))).toBe(true)
    expect(states.at(-1)).toBe('INFO 100%|bar| 150/150')
    expect(states.filter((line) => line.includes('150/150'))).toHaveLength(1)
    expect(log).toContain('INFO after')
  }
  await Promise.all([draw('stdout'), draw('stderr')])
}, 30_000)

test('a progress bar that stops or is cut off is logged with its last content', async () => {
  const server = await node()
  const { log } = await run(
    server,
    `printf '\\r 10%%'; printf '\\r 20%%'; printf 'a line\\r\\nanother\\n'; printf '\\r 30%%\\r'`,
  )
  expect(log.at(-1)).toBe('INFO  30%')
  expect(log).toContain('INFO another')
})
