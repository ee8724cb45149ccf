import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataOf, type Rest } from '../client/index.ts'
import type { Programs } from './programs.ts'
import type { State } from './state.ts'

/** A task type of the simulated GPUs. Every node also runs `test`. */
export const SIMULATED_TRAINING = 'simulated_training'

/** Two nodes: one with the GPUs of this machine, if it has any, and one whose `nvidia-smi` makes its figures up. */
export async function startNodes(programs: Programs, url: string, admin: Rest, state: State): Promise<void> {
  const tokenOf = async (name: string, places: number) => {
    const known = state.tokenOf(name)
    if (known) return known
    const body = { name, host: '127.0.0.1', max_concurrent_tasks: places }
    const { data } = await dataOf(admin.factory.gpu.servers.post(body))
    state.keepToken(name, data.node_token)
    return data.node_token
  }
  programs.startNode('this-machine', url, await tokenOf('this-machine', 2), [], {})
  const config = join(state.directory, 'simulated-node.json')
  const command = [process.execPath, '--no-env-file', join(import.meta.dir, 'simulated-training.ts')]
  writeFileSync(
    config,
    JSON.stringify({ max_concurrent_tasks: 4, tasks: { [SIMULATED_TRAINING]: { command, gpus: 1 } } }),
  )
  programs.startNode('simulated-gpus', url, await tokenOf('simulated-gpus', 4), ['--config', config], {
    NVIDIA_SMI_PATH: join(import.meta.dir, 'simulated-nvidia-smi'),
    CUDA_VISIBLE_DEVICES: undefined,
  })
}
