import { agentKind } from './agent.ts'
import { clusterKind } from './cluster.ts'
import { nodeKind } from './node.ts'
import { overviewKind } from './overview.ts'
import { photoUploadKind } from './photo-upload.ts'
import { systemLogKind } from './system-log.ts'
import { taskKind } from './task.ts'
import { taskStatusKind } from './task-status.ts'
import type { OpenTopic, Topic, TopicKind } from './topic.ts'
import { uploadKind } from './upload.ts'
import { watermarkKind } from './watermark.ts'

export const TOPIC_KINDS: TopicKind[] = [
  taskKind,
  taskStatusKind,
  uploadKind,
  photoUploadKind,
  nodeKind,
  clusterKind,
  agentKind,
  watermarkKind,
  overviewKind,
  systemLogKind,
]

/**
 * Opens a topic for a user.
 * @returns undefined when no topic has such a name
 * @throws AppError NOT_FOUND when it does not exist for this user
 */
export async function openTopic(request: Omit<OpenTopic, 'id'>): Promise<Topic | undefined> {
  for (const kind of TOPIC_KINDS) {
    const match = kind.pattern.exec(request.name)
    if (match) return kind.open({ ...request, id: match[1] ?? '' })
  }
  return undefined
}
