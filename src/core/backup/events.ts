export interface BackupEvents {
  'system.backup': {
    backupId: number
    status: 'completed' | 'failed'
    /** The last part of the file's path. */
    fileName: string
    /** Bytes; null when it failed. */
    size: number | null
    startedAt: Date
    endedAt: Date
    /** Why it failed, or what a complete backup lacks. */
    error: string | null
  }
}
