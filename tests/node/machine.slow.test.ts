import { expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseGpus } from '../../src/node/gpu.ts'
import { NvidiaSmi } from '../../src/node/nvidia-smi.ts'
import { CpuMeter, memoryUsage } from '../../src/node/system.ts'
import {
  cleanUpAfterEach,
  fakeServer,
  gone,
  keptLog,
  nvidiaSmi,
  shell,
  startNode,
  temporaryDirectory,
} from './support.ts'

cleanUpAfterEach()

const RECORDED = join(import.meta.dir, 'nvidia-smi.csv')
const QUERY = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw'
const ROW = '0, NVIDIA A10G, 5, 512, 23028, 40, 60.0'
const ROW_1 = '1, NVIDIA A10G, 0, 0, 23028, 40, 60.0'

const withGpus = { maxConcurrentTasks: undefined }

test('GPUs are read through nvidia-smi; figures that the driver does not know are 0 or left out', async () => {
  const program = nvidiaSmi(
    `[ "$*" = "--query-gpu=${QUERY} --format=csv,noheader,nounits" ] && cat '${RECORDED}'`,
  )
  const answer = await new NvidiaSmi(program, 5000).query(QUERY)
  if (answer.kind !== 'ended') throw new Error(answer.kind)
  expect(parseGpus(answer.rows)).toEqual([
    {
      gpu_id: 0,
      name: 'NVIDIA H100 80GB HBM3',
      usage: 37,
      memory_used: 12,
      memory_total: 79.65,
      temperature: 41,
      power: 118.53,
    },
    { gpu_id: 1, name: 'NVIDIA A10G', usage: 0, memory_used: 0.5, memory_total: 22.49 },
  ])
})

const plain = { gpu_id: 0, name: 'A', usage: 5, memory_used: 1, memory_total: 2 }
test.each([
  ['a sick sensor', '0, A, 5, 1024, 2048, 511, 60', { ...plain, power: 60 }],
  ['a sensor of 255', '0, A, 5, 1024, 2048, 255, 60', { ...plain, power: 60 }],
  ['a power of four million watts', '0, A, 5, 1024, 2048, 40, 4294967.29', { ...plain, temperature: 40 }],
  ['negative values', '0, A, -1, 1024, 2048, -300, -5', { ...plain, usage: 0 }],
  [
    'a usage beyond 100 %',
    '0, A, 4294967295, 1024, 2048, 40, 60',
    { ...plain, usage: 0, temperature: 40, power: 60 },
  ],
  [
    'more memory in use than there is',
    '0, A, 5, 99999, 2048, 40, 60',
    { ...plain, memory_used: 2, temperature: 40, power: 60 },
  ],
  [
    'impossible memory',
    `0, A, 5, 1024, ${'9'.repeat(400)}, 40, 60`,
    { ...plain, memory_total: 0, temperature: 40, power: 60 },
  ],
  ['units', '0, A, 5 %, 1024 MiB, 2048 MiB, 40, 60.00 W', { ...plain, temperature: 40, power: 60 }],
  [
    'no value at all',
    '0, A, [N/A], [Unknown Error], [Not Supported], N/A, [GPU requires reset]',
    { ...plain, usage: 0, memory_used: 0, memory_total: 0 },
  ],
  [
    'no name',
    '0, [Unknown Error], 5, 1024, 2048, 40, 60',
    { ...plain, name: 'unknown GPU', temperature: 40, power: 60 },
  ],
])('%s', (_, row, gpu) => {
  expect(parseGpus([row])).toEqual([gpu])
})

test('lines that are not rows are skipped', () => {
  expect(
    parseGpus([
      'WARNING: infoROM is corrupted at gpu 0000:00:1E.0',
      'index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], temperature.gpu, power.draw [W]',
      ROW,
      ROW,
      '-1, A, 5, 1024, 2048, 40, 60',
      '5000, A, 5, 1024, 2048, 40, 60',
      'NVIDIA-SMI has failed because it could not communicate with the driver, sorry',
      'No devices were found',
    ]).map(({ gpu_id }) => gpu_id),
  ).toEqual([0])
})

test('CPU and memory are percentages', async () => {
  const cpu = new CpuMeter()
  for (const usage of [cpu.read(), cpu.read(), memoryUsage()]) {
    expect(usage).toBeGreaterThanOrEqual(0)
    expect(usage).toBeLessThanOrEqual(100)
  }
})

test('hello names the machine, heartbeats follow: the first at once', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.1 })
  await startNode(
    server,
    { render: { command: ['true'], env: {} } },
    { ...withGpus, nvidiaSmi: nvidiaSmi(`cat '${RECORDED}'`) },
  )
  await server.frame('heartbeat', undefined, 3)
  expect(server.frames.map(({ type }) => type).slice(0, 4)).toEqual([
    'hello',
    'heartbeat',
    'heartbeat',
    'heartbeat',
  ])
  expect(server.of('hello')[0]).toEqual({
    type: 'hello',
    name: 'gpu-01',
    max_concurrent_tasks: 2,
    task_types: ['render'],
    gpus: [
      { gpu_id: 0, name: 'NVIDIA H100 80GB HBM3', memory_total: 79.65 },
      { gpu_id: 1, name: 'NVIDIA A10G', memory_total: 22.49 },
    ],
    running: [],
  })
  expect(server.of('heartbeat')[0]).toMatchObject({
    cpu_usage: expect.any(Number),
    memory_usage: expect.any(Number),
    gpus: [
      { gpu_id: 0, usage: 37, memory_used: 12, memory_total: 79.65, temperature: 41, power: 118.53 },
      { gpu_id: 1, usage: 0, memory_used: 0.5, memory_total: 22.49 },
    ],
  })
})

test('a machine without GPUs offers one slot, and logs once that there is no nvidia-smi', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.05 })
  const { log, lines } = keptLog()
  await startNode(server, {}, withGpus, log)
  expect(await server.frame('hello')).toMatchObject({ max_concurrent_tasks: 1, gpus: [] })
  expect(await server.frame('heartbeat', undefined, 4)).toMatchObject({ gpus: [] })
  expect(lines.filter((line) => line.includes('nvidia-smi'))).toEqual([
    'info /nonexistent/nvidia-smi is not there, so this node has no GPUs (NVIDIA_SMI_PATH names the program)',
  ])
})

test('good rows count, whatever the exit code; the warning is logged once', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.05 })
  const { log, lines } = keptLog()
  const script = `echo 'WARNING: infoROM is corrupted at gpu 0000:00:1E.0'; echo '${ROW}'; echo also >&2; exit 14`
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script) }, log)
  expect(await server.frame('hello')).toMatchObject({ gpus: [{ gpu_id: 0, name: 'NVIDIA A10G' }] })
  await server.frame('heartbeat', undefined, 4)
  const said = lines.filter((line) => line.includes('exit code'))
  expect(said).toHaveLength(1)
  expect(said[0]).toMatch(
    /^warn .*exit code 14; its figures are used. It says: also WARNING: infoROM is corrupted/,
  )
})

test('a failure is logged once with its cause; when nvidia-smi answers, slots and names follow, and the log says so', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.05 })
  const { log, lines } = keptLog()
  const ready = join(temporaryDirectory(), 'ready')
  const script = `if [ -e '${ready}' ]; then echo '${ROW}'; echo '${ROW_1}'; else echo 'NVIDIA-SMI has failed'; exit 9; fi`
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script) }, log)
  expect(await server.frame('hello')).toMatchObject({ max_concurrent_tasks: 1, gpus: [] })
  await server.frame('heartbeat', undefined, 3)
  writeFileSync(ready, '')
  await server.until(() => server.of('heartbeat').at(-1)?.gpus.length === 2, 'heartbeat with GPUs')
  expect(server.of('heartbeat').at(-1)).toMatchObject({
    max_concurrent_tasks: 2,
    gpus: [{ name: 'NVIDIA A10G' }, { name: 'NVIDIA A10G' }],
  })
  rmSync(ready)
  await server.until(() => server.of('heartbeat').at(-1)?.gpus.length === 0, 'heartbeat without GPUs')
  expect(server.of('heartbeat').at(-1)).toMatchObject({ max_concurrent_tasks: 1 })
  const said = lines.filter((line) => /exit code|answers|GPUs?[ ,]/.test(line) && !line.includes('connected'))
  expect(said.map((line) => line.replace(/\/\S*\//, ''))).toEqual([
    'warn nvidia-smi failed with exit code 9: no GPUs until it answers. It says: NVIDIA-SMI has failed',
    'info nvidia-smi answers again',
    'info 2 GPUs (0 NVIDIA A10G, 1 NVIDIA A10G), 2 tasks at a time',
    'warn nvidia-smi failed with exit code 9: no GPUs until it answers. It says: NVIDIA-SMI has failed',
    'info 0 GPUs, 1 task at a time',
  ])
})

test('while nvidia-smi is slow, heartbeats go on with the last known figures', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.1 })
  const slow = join(temporaryDirectory(), 'slow')
  const script = `[ -e '${slow}' ] && sleep 1; echo '${ROW}'`
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script) })
  await server.frame('heartbeat', undefined, 2)
  writeFileSync(slow, '')
  const before = server.of('heartbeat').length
  await server.frame('heartbeat', undefined, before + 5)
  expect(server.of('heartbeat').every(({ gpus }) => gpus.length === 1)).toBe(true)
})

test('the start waits for an nvidia-smi that takes four seconds', async () => {
  const server = fakeServer()
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(`sleep 4; echo '${ROW}'`) })
  expect(await server.frame('hello')).toMatchObject({ gpus: [{ gpu_id: 0 }] })
}, 20_000)

test('an nvidia-smi that hangs behind a shell is killed with its children, and never runs twice', async () => {
  const dir = temporaryDirectory()
  const pids = join(dir, 'pids')
  // Each run records its child; the run that is ready answers.
  const script = `if [ -e '${dir}/ready' ]; then echo '${ROW}'; else sleep 300 & echo $! >> '${pids}'; wait; fi`
  const server = fakeServer({ heartbeatSeconds: 0.05 })
  const { log, lines } = keptLog()
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script), nvidiaSmiLimitMs: 300 }, log)
  const started = () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [])
  await server.until(() => started().length >= 2, 'second run')
  const [first = 0] = started()
  await gone([first])
  expect(lines.filter((line) => line.includes('hangs'))).toHaveLength(1)
  writeFileSync(join(dir, 'ready'), '')
  await server.until(() => server.of('heartbeat').at(-1)?.gpus.length === 1, 'heartbeat with a GPU')
  await gone(started())
})

test('the rows of an nvidia-smi that hangs afterwards count', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.1 })
  const script = `echo '${ROW}'; echo '${ROW_1}'; sleep 300 & wait`
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script), nvidiaSmiLimitMs: 500 })
  expect(await server.frame('hello')).toMatchObject({ gpus: [{ gpu_id: 0 }, { gpu_id: 1 }] })
})

test('the node does not wait for the end of an nvidia-smi that has printed its rows', async () => {
  const server = fakeServer()
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(`echo '${ROW}'; sleep 300 & wait`) })
  expect(await server.frame('hello')).toMatchObject({ gpus: [{ gpu_id: 0 }] })
}, 20_000)

test('a child that keeps the output open does not delay the end of nvidia-smi', async () => {
  const server = fakeServer()
  const pid = join(temporaryDirectory(), 'pid')
  const script = `sleep 300 & echo $! > '${pid}'; echo '${ROW}'`
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script) })
  expect(await server.frame('hello')).toMatchObject({ gpus: [{ gpu_id: 0 }] })
  await gone([Number(readFileSync(pid, 'utf8'))])
})

test('the node uses only the GPUs that the operator names by their UUID', async () => {
  const server = fakeServer()
  const script = `[ "$1" = "--query-gpu=${QUERY},uuid" ] && echo '${ROW}, GPU-aaaa-1' && echo '${ROW_1}, GPU-bbbb-2'`
  const settings = { ...withGpus, nvidiaSmi: nvidiaSmi(script), visibleDevices: 'GPU-bbbb' }
  await startNode(server, {}, settings)
  expect(await server.frame('hello')).toMatchObject({ max_concurrent_tasks: 1, gpus: [{ gpu_id: 1 }] })
})

test('a UUID that nvidia-smi does not list is not a GPU of the node', async () => {
  const server = fakeServer()
  const { log, lines } = keptLog()
  const script = `echo '${ROW}, GPU-aaaa-1'; echo '${ROW_1}, GPU-bbbb-2'`
  const visibleDevices = 'GPU-cccc,GPU-bbbb,MIG-GPU-dddd/1/0'
  await startNode(server, {}, { ...withGpus, nvidiaSmi: nvidiaSmi(script), visibleDevices }, log)
  expect(await server.frame('hello')).toMatchObject({ max_concurrent_tasks: 1, gpus: [{ gpu_id: 1 }] })
  expect(lines.join('\n')).toContain('does not list GPU-cccc, MIG-GPU-dddd/1/0')
})

test('a node that stops kills its nvidia-smi', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.05 })
  const dir = temporaryDirectory()
  const script = `if [ -e '${dir}/hang' ]; then echo $$ > '${dir}/pid'; sleep 300; fi; echo '${ROW}'`
  const node = await startNode(
    server,
    { quick: shell('exit 0') },
    { ...withGpus, nvidiaSmi: nvidiaSmi(script) },
  )
  writeFileSync(join(dir, 'hang'), '')
  await server.until(() => existsSync(join(dir, 'pid')), 'hanging nvidia-smi')
  node.close()
  await gone([Number(readFileSync(join(dir, 'pid'), 'utf8'))])
})
