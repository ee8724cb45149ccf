import type { NodeEvents } from '../../core/nodes/events.ts'
import type { EventPresenters } from './presenters.ts'

const presentNode = ({ uuid, name }: NodeEvents['gpu.online']) => ({ server_id: uuid, name })

export const nodeEvents: EventPresenters<NodeEvents> = {
  'gpu.online': presentNode,
  'gpu.offline': presentNode,
}
