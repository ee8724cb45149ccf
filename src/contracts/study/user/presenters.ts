import type { UserStatistics } from '../../../core/accounts/administration.ts'
import type { User } from '../../../core/accounts/rows.ts'
import type { StudyStatistics } from '../../../core/courses/progress.ts'
import type { StudySettings } from '../../../core/courses/settings.ts'
import { presentMe } from '../auth/presenters.ts'
import type { Profile, UserConfig } from './models.ts'

export const presentUserConfig = (settings: StudySettings): UserConfig => ({
  cx_username: settings.cxUsername,
  cx_password_set: settings.hasCxPassword,
  speed: settings.speed,
  notopen_action: settings.notOpenAction,
})

export const presentProfile = (user: User, tasks: UserStatistics, study: StudyStatistics): Profile => ({
  ...presentMe(user),
  statistics: {
    total_tasks: tasks.totalTasks,
    running_tasks: tasks.runningTasks,
    completed_tasks: tasks.completedTasks,
    failed_tasks: tasks.failedTasks,
    last_task_date: tasks.lastTaskAt?.toISOString() ?? null,
    courses: study.courses,
    completed_items: study.completedItems,
    studied_seconds: Math.floor(study.studiedSeconds),
  },
})
