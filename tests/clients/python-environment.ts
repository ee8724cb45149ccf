/** The installed packages of `requirements.txt`, which stay under node_modules, and Roost's own client. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

const HERE = import.meta.dir
const CACHE = join(HERE, '../../node_modules/.cache/roost-python')

let made: Promise<string> | undefined

/** The folder of their programs. They are installed when the requirements have changed. */
export function pythonPrograms(): Promise<string> {
  made ??= environment()
  return made
}

async function environment(): Promise<string> {
  const requirements = join(HERE, 'requirements.txt')
  const hash = createHash('sha256')
    .update(await Bun.file(requirements).bytes())
    .digest('hex')
    .slice(0, 16)
  const place = join(CACHE, hash)
  const ready = join(place, 'ready')
  if (!existsSync(ready)) {
    rmSync(place, { recursive: true, force: true })
    mkdirSync(CACHE, { recursive: true })
    await run(['python3', '-m', 'venv', place])
    await run([join(place, 'bin/pip'), 'install', '--quiet', '--requirement', requirements])
    writeFileSync(ready, '')
  }
  return join(place, 'bin')
}

/** Installs `clients/python` as a user does. @param folder where its modules go: PYTHONPATH */
export async function installClient(folder: string): Promise<void> {
  const pip = join(await pythonPrograms(), 'pip')
  const client = join(HERE, '../../clients/python')
  await run([pip, 'install', '--quiet', '--no-deps', '--target', folder, client])
}
