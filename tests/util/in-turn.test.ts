import { expect, test } from 'bun:test'
import { inTurn } from '../../src/util/in-turn.ts'

const never = new AbortController().signal

test('one task runs at a time, in the order of the calls, also after one that fails', async () => {
  const turn = inTurn()
  const steps: string[] = []
  const task = (name: string) => () =>
    Promise.resolve().then(async () => {
      steps.push(`${name} begins`)
      await Bun.sleep(1)
      steps.push(`${name} ends`)
      if (name === 'b') throw new Error('no')
      return name
    })
  const all = await Promise.allSettled(['a', 'b', 'c'].map((name) => turn(task(name), never)))
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(steps).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]))
})

test('a task that is aborted while it waits never runs, and those behind it still wait for the one that runs', async () => {
  const turn = inTurn()
  const { promise, resolve } = Promise.withResolvers<void>()
  const abort = new AbortController()
  const ran: string[] = []
  const first = turn(async () => {
    await promise
    ran.push('first')
  }, never)
  const second = turn(async () => ran.push('second'), abort.signal)
  const third = turn(async () => ran.push('third'), never)
  abort.abort(new Error('stop'))
  expect(second).rejects.toThrow('stop')
  await Bun.sleep(5)
  expect(ran).toEqual([])
  resolve()
  await Promise.all([first, third])
  expect(ran).toEqual(['first', 'third'])
})
