import type { BackupEvents } from '../../core/backup/events.ts'
import type { EventPresenters } from './presenters.ts'

export const backupEvents: EventPresenters<BackupEvents> = {
  'system.backup': ({ backupId, status, fileName, size, startedAt, endedAt, error }) => ({
    backup_id: backupId,
    status,
    file_name: fileName,
    size,
    started_at: startedAt.toISOString(),
    ended_at: endedAt.toISOString(),
    error,
  }),
}
