import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DevicePool, namedDevices } from '../../src/node/devices.ts'
import type { Gpu } from '../../src/node/gpu.ts'
import type { FakeServer } from './fake-server.ts'
import {
  cleanUpAfterEach,
  connectArgs,
  fakeServer,
  nvidiaSmi,
  runNode,
  temporaryDirectory,
  tokenEnv,
} from './support.ts'

cleanUpAfterEach()

const gpu = (gpu_id: number, more: Partial<Gpu> = {}): Gpu => ({
  gpu_id,
  name: 'A',
  usage: 0,
  memory_used: 0,
  memory_total: 24,
  ...more,
})
const four = [0, 1, 2, 3].map((id) => gpu(id, { uuid: `GPU-${id}aaaa-bbbb` }))

test.each([
  [undefined, ['0', '1', '2', '3'], [0, 1, 2, 3]],
  ['2,0', ['2', '0'], [2, 0]],
  [' 1 , 3 ', ['1', '3'], [1, 3]],
  ['', [], []],
  ['-1', [], []],
  ['0,-1,1', ['0'], [0]],
  ['NoDevFiles', [], []],
  ['1,1', ['1'], [1]],
  ['1,01,GPU-1aaaa,GPU-1,2', ['1', '2'], [1, 2]],
  ['MIG-GPU-1aaaa/1/0,MIG-GPU-1aaaa/2/0', ['MIG-GPU-1aaaa/1/0', 'MIG-GPU-1aaaa/2/0'], [1, 1]],
  ['GPU-2aaaa-bbbb', ['GPU-2aaaa-bbbb'], [2]],
  ['GPU-3a,GPU-0', ['GPU-3a', 'GPU-0'], [3, 0]],
  ['MIG-GPU-1aaaa-bbbb/3/0', ['MIG-GPU-1aaaa-bbbb/3/0'], [1]],
  ['MIG-57de94a5-be15,MIG-0f', ['MIG-57de94a5-be15', 'MIG-0f'], [undefined, undefined]],
])('CUDA_VISIBLE_DEVICES=%p', (variable, names, ids) => {
  const devices = namedDevices(variable, four)
  expect(devices.map(({ name }) => name)).toEqual(names)
  expect(devices.map((device) => device.gpu?.gpu_id)).toEqual(ids)
})

test('each task gets the devices that the fewest tasks have, and gives them back', () => {
  const pool = new DevicePool()
  const devices = namedDevices('0,1', four)
  const place = (count = 1) => pool.place(devices, count, undefined)
  const [a, b, c] = [place(), place(), place()]
  expect([a, b, c].map(({ env }) => env.CUDA_VISIBLE_DEVICES)).toEqual(['0', '1', '0'])
  pool.release(a)
  pool.release(c)
  expect(place().env).toEqual({ CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  expect(place(2).env.CUDA_VISIBLE_DEVICES).toBe('0,1')
  expect(place(9).gpus.map(({ gpu_id }) => gpu_id)).toEqual([0, 1])
  expect(place(0)).toMatchObject({ env: { CUDA_VISIBLE_DEVICES: '' }, gpus: [] })
})

const SHOW = `cat > "$TMPDIR/in"; env | cut -d= -f1 | sort | tr '\\n' ' ' > "$TMPDIR/names"
printf '{"result": {"visible": "%s", "order": "%s", "set": "%s", "names": "%s", "input": %s}}\\n' "$CUDA_VISIBLE_DEVICES" "$CUDA_DEVICE_ORDER" "\${CUDA_VISIBLE_DEVICES+set}" "$(cat "$TMPDIR/names")" "$(cat "$TMPDIR/in")"
if [ -n "$WAIT" ]; then sleep 300; fi`
const ROWS = '0, NVIDIA A10G, 5, 512, 23028, 40, 60.0\\n1, NVIDIA H100, 5, 512, 81559, 40, 60.0\\n'

function program(env: Record<string, string>, tasks: Record<string, object>, more: object = {}) {
  const server = fakeServer()
  const dir = temporaryDirectory()
  const config = join(dir, 'node.json')
  const types = Object.entries(tasks).map(([name, task]) => [name, { command: ['sh', '-c', SHOW], ...task }])
  writeFileSync(config, JSON.stringify({ tasks: Object.fromEntries(types), ...more }))
  return { server, ...runNode(connectArgs(server, dir, '--config', config), { ...tokenEnv, ...env }) }
}

async function shown(server: FakeServer, type: string) {
  await server.frame('heartbeat')
  server.assign(type, type)
  const { result } = await server.frame('completed', type)
  return result as {
    visible: string
    order: string
    set: string
    names: string
    input: Record<string, unknown>
  }
}

test('a task gets its GPUs, and of the environment the variables that it needs or that the configuration names', async () => {
  const { server, said } = program(
    {
      NVIDIA_SMI_PATH: nvidiaSmi(`printf '${ROWS}'`),
      LANG: 'C.UTF-8',
      LD_LIBRARY_PATH: '/opt/cuda/lib64',
      CUDA_HOME: '/opt/cuda',
      CUDA_LAUNCH_BLOCKING: '1',
      NVIDIA_DRIVER_CAPABILITIES: 'compute',
      NVIDIA_API_KEY: 'secret',
      CUDA_SECRET_TOKEN: 'secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
      HF_HOME: '/models',
      OTHER: 'kept',
    },
    {
      plain: {},
      both: { gpus: 2, env: { HF_HOME: true, LEVEL: '3', UNSET: true } },
      listed: { gpus: 0, env: ['OTHER'] },
      pinned: { env: { CUDA_VISIBLE_DEVICES: '1' } },
    },
  )
  const plain = await shown(server, 'plain')
  expect(plain).toMatchObject({ visible: '0', order: 'PCI_BUS_ID' })
  expect(plain.input.gpus).toEqual([{ gpu_id: 0, name: 'NVIDIA A10G', memory_total: 22.49 }])
  const own = (names: string) =>
    names
      .trim()
      .split(' ')
      .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name))
  const always = [
    'CUDA_DEVICE_ORDER',
    'CUDA_HOME',
    'CUDA_LAUNCH_BLOCKING',
    'CUDA_VISIBLE_DEVICES',
    'HOME',
    'LANG',
    'LD_LIBRARY_PATH',
  ]
  const rest = ['NVIDIA_DRIVER_CAPABILITIES', 'PATH', 'PYTHONUNBUFFERED', 'TMPDIR']
  expect(own(plain.names)).toEqual([...always, ...rest])

  const both = await shown(server, 'both')
  expect(both.visible).toBe('0,1')
  expect(own(both.names)).toEqual([...always, 'HF_HOME', 'LEVEL', ...rest].toSorted())
  const listed = await shown(server, 'listed')
  expect(listed).toMatchObject({ visible: '', set: 'set' })
  expect(listed.input.gpus).toEqual([])
  expect(own(listed.names)).toContain('OTHER')
  const pinned = await shown(server, 'pinned')
  expect(pinned.visible).toBe('1')
  expect(pinned.input.gpus).toEqual([{ gpu_id: 1, name: 'NVIDIA H100', memory_total: 79.65 }])
  await said('2 GPUs (0 NVIDIA A10G, 1 NVIDIA H100), 2 tasks at a time')
}, 30_000)

test('tasks that run at the same time get a GPU each, and share GPUs when there are more tasks', async () => {
  const { server, said } = program(
    { NVIDIA_SMI_PATH: nvidiaSmi(`printf '${ROWS}'`) },
    { wait: { env: { WAIT: '1' } } },
    { max_concurrent_tasks: 4 },
  )
  await server.frame('heartbeat')
  await said('2 GPUs (0 NVIDIA A10G, 1 NVIDIA H100), 4 tasks at a time: up to 2 share a GPU')
  for (const id of ['a', 'b', 'c', 'd']) server.assign(id, 'wait')
  await server.until(() => server.of('accept').length === 4, 'four tasks')
  await Promise.all(
    ['a on GPU 0', 'b on GPU 1', 'c on GPU 0', 'd on GPU 1'].map((text) => {
      const [id = '', ...where] = text.split(' ')
      return said(`task ${id} (wait, attempt 1) started ${where.join(' ')}, process`)
    }),
  )
}, 30_000)

test.each([
  ['1', { max_concurrent_tasks: 1, gpus: [{ gpu_id: 1 }] }, '1'],
  ['GPU-abc,MIG-def', { max_concurrent_tasks: 2, gpus: [{ gpu_id: 0 }, { gpu_id: 1 }] }, 'GPU-abc'],
  ['', { max_concurrent_tasks: 1, gpus: [] }, ''],
  ['-1', { max_concurrent_tasks: 1, gpus: [] }, '-1'],
  ['1,7', { max_concurrent_tasks: 1, gpus: [{ gpu_id: 1 }] }, '1'],
])(
  'the GPUs of a node with CUDA_VISIBLE_DEVICES=%p',
  async (variable, hello, visible) => {
    const { server, said } = program(
      { NVIDIA_SMI_PATH: nvidiaSmi(`printf '${ROWS}'`), CUDA_VISIBLE_DEVICES: variable },
      { show: {} },
    )
    expect(await server.frame('hello')).toMatchObject(hello)
    expect(await shown(server, 'show')).toMatchObject({ visible, set: 'set' })
    await said(`CUDA_VISIBLE_DEVICES is '${variable}'`)
    if (variable.includes('7')) await said('of which nvidia-smi does not list 7')
  },
  20_000,
)

test('without nvidia-smi a task still gets the GPUs that the operator named, and nothing else', async () => {
  const named = program({ CUDA_VISIBLE_DEVICES: '2,3' }, { show: {} })
  expect(await named.server.frame('hello')).toMatchObject({ max_concurrent_tasks: 2, gpus: [] })
  const first = await shown(named.server, 'show')
  expect(first.visible).toBe('2')
  expect(first.input.gpus).toEqual([{ gpu_id: 2 }])
  const none = program({}, { show: {} })
  expect(await shown(none.server, 'show')).toMatchObject({ set: '', input: { gpus: [] } })
}, 20_000)
