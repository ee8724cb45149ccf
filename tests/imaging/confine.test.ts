import { describe, expect, test } from 'bun:test'
import { getPriority } from 'node:os'
import { confine } from '../../src/imaging/confine.ts'
import { processesOf, scriptPath, workshop } from './support.ts'

const { dir, leftovers } = workshop()
const LIMITS = { milliseconds: 30_000, cpuSeconds: 5, memoryMiB: 64, fileMiB: 10 }

test('it starts without our environment, in an empty directory, at a lower priority', async () => {
  process.env.IMAGING_TEST_SECRET = 'swordfish'
  const { output, by } = await confine(scriptPath('report.ts'), 'a "word"; $HOME', dir, LIMITS)
  const report = JSON.parse(output)
  expect(by).toBeUndefined()
  expect(output).not.toContain('swordfish')
  for (const name of ['HOME', 'USER', 'DATABASE_URL', 'JWT_SECRET']) expect(report.env[name]).toBeUndefined()
  expect(report.cwd).toStartWith(dir)
  expect(report.env.TMPDIR).toBe(report.cwd)
  expect(report.nice).toBeGreaterThan(getPriority())
  expect(report).toMatchObject({ files: [], said: 'a "word"; $HOME' })
})

describe('the limits end', () => {
  test('what runs too long', async () => {
    const { by } = await confine(scriptPath('spin.ts'), '', dir, { ...LIMITS, milliseconds: 700 })
    expect(by).toBe('timeout')
  })

  test('what takes too much of the processor', async () => {
    const { by } = await confine(scriptPath('spin.ts'), '', dir, { ...LIMITS, cpuSeconds: 1 })
    expect(by).toBe('SIGXCPU')
  })

  test('what takes too much memory, while ours stays', async () => {
    const before = process.memoryUsage.rss()
    const { complaints } = await confine(scriptPath('hoard.ts'), '', dir, LIMITS)
    expect(complaints).toMatch(/out of memory/i)
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024)
  })

  test('what prints without end', async () => {
    const { output, by } = await confine(scriptPath('flood.ts'), '', dir, LIMITS)
    expect(by).toBe('SIGKILL')
    expect(output.length).toBeLessThan(16 * 1024 * 1024)
  })
})

test('neither its children nor its files outlive it', async () => {
  const seconds = '31536.25'
  await confine(scriptPath('spawn.ts'), seconds, dir, LIMITS)
  expect(processesOf(`/bin/sleep ${seconds}`)).toEqual([])
  expect(leftovers()).toEqual([])
})
