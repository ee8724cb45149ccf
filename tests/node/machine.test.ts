import { expect, test } from 'bun:test'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GpuReader, parseGpus } from '../../src/node/gpu.ts'
import { CpuMeter, memoryUsage } from '../../src/node/system.ts'
import { cleanUpAfterEach, fakeServer, startNode, temporaryDirectory } from './support.ts'

cleanUpAfterEach()

const RECORDED = join(import.meta.dir, 'nvidia-smi.csv')

/** A program in nvidia-smi's place. */
function nvidiaSmi(script: string): string {
  const path = join(temporaryDirectory(), 'nvidia-smi')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

test('GPUs are read through nvidia-smi; what the driver cannot tell is 0 or left out', async () => {
  const query = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw'
  const program = nvidiaSmi(
    `[ "$*" = "--query-gpu=${query} --format=csv,noheader,nounits" ] && cat '${RECORDED}'`,
  )
  expect(await new GpuReader(program).read()).toEqual([
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

test('no nvidia-smi, one that fails, one that hangs, one that talks nonsense: zero GPUs', async () => {
  expect(await new GpuReader('/nonexistent/nvidia-smi').read()).toEqual([])
  expect(await new GpuReader(nvidiaSmi(`cat '${RECORDED}'; exit 9`)).read()).toEqual([])
  expect(await new GpuReader(nvidiaSmi('exec sleep 300'), 100).read()).toEqual([])
  expect(
    parseGpus('NVIDIA-SMI has failed because it could not communicate with the driver, sorry\n\n'),
  ).toEqual([])
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
    {
      nvidiaSmi: nvidiaSmi(`cat '${RECORDED}'`),
      maxConcurrentTasks: undefined,
    },
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

test('a machine without GPUs offers one place', async () => {
  const server = fakeServer()
  await startNode(server, {}, { maxConcurrentTasks: undefined })
  expect(await server.frame('hello')).toMatchObject({ max_concurrent_tasks: 1, gpus: [] })
  expect(await server.frame('heartbeat')).toMatchObject({ gpus: [] })
})
