import type { Node } from './rows.ts'

interface NodeSummary {
  uuid: string
  name: string
}

export interface NodeEvents {
  'gpu.online': NodeSummary
  'gpu.offline': NodeSummary
}

export const nodeEvent = ({ uuid, name }: Node): NodeSummary => ({ uuid, name })
