import { expect } from 'bun:test'
import type { Answer } from './api.ts'

/** Runs curl with these arguments. @returns the server's answer */
export async function curl(args: string[]): Promise<Answer> {
  const child = Bun.spawn(['curl', '-sS', '-i', ...args], { stderr: 'pipe' })
  const output = await child.stdout.text()
  expect(await child.stderr.text()).toBe('')
  const end = output.indexOf('\r\n\r\n')
  const [first = '', ...fields] = output.slice(0, end).split('\r\n')
  const headers = new Headers(fields.map((field) => field.split(/: ?(.*)/s).slice(0, 2) as [string, string]))
  const text = output.slice(end + 4)
  return {
    status: Number(first.split(' ')[1]),
    headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  }
}
