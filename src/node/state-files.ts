import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../util/json.ts'

export interface Lease {
  task_id: string
  attempt: number
}

export const leaseKey = ({ task_id, attempt }: Lease): string => `${attempt}#${task_id}`

/** One JSON file for each attempt in one directory. A file is complete or absent, also after a power cut. */
export class StateFiles<T extends Lease> {
  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }

  /** Reads the files of an earlier run. Removes a file that is not JSON, because it was never complete. */
  load(): T[] {
    const records: T[] = []
    for (const name of readdirSync(this.dir)) {
      const path = join(this.dir, name)
      try {
        if (!name.endsWith('.json')) throw new Error('a temporary file')
        // Whole numbers of a result must stay exactly as the task printed them.
        records.push(parseJson(readFileSync(path, 'utf8'), 'null') as T)
      } catch {
        rmSync(path, { force: true })
      }
    }
    return records
  }

  save(record: T): void {
    const path = this.path(record)
    const file = openSync(`${path}.tmp`, 'w', 0o600)
    try {
      const bytes = Buffer.from(JSON.stringify(record))
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(`${path}.tmp`, path)
    const dir = openSync(this.dir, 'r')
    try {
      fsyncSync(dir)
    } finally {
      closeSync(dir)
    }
  }

  remove(lease: Lease): void {
    rmSync(this.path(lease), { force: true })
  }

  /** The task's id comes from the server, so it is hashed before it becomes part of a path. */
  private path({ task_id, attempt }: Lease): string {
    const task = createHash('sha256').update(task_id).digest('hex').slice(0, 32)
    return join(this.dir, `${task}-${attempt}.json`)
  }
}
