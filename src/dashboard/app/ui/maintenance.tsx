import { useEffect } from 'preact/hooks'
import { texts } from '../lib/language.ts'
import { checkMaintenance, isMaintained } from '../lib/maintenance.ts'
import { href, route } from '../lib/router.ts'
import { isAdmin, status } from '../lib/session.ts'

const t = texts({
  en: {
    forUsers: 'Maintenance is going on. You can look at everything, and change things again later.',
    forAdmins: 'Maintenance is going on: only administrators can change anything.',
    settings: 'Settings',
  },
  zh: {
    forUsers: '系统维护中：目前只能查看，稍后才能修改。',
    forAdmins: '系统维护中：仅管理员可以修改。',
    settings: '设置',
  },
})

/** No event tells of maintenance. */
const CHECK_EVERY_MS = 60_000

/** Over every page while maintenance goes on. */
export function Maintenance() {
  const { path } = route.value
  const isLive = status.value === 'live'
  useEffect(() => {
    void checkMaintenance()
  }, [path, isLive])
  useEffect(() => {
    const check = () => {
      if (document.visibilityState === 'visible') void checkMaintenance()
    }
    const timer = setInterval(check, CHECK_EVERY_MS)
    document.addEventListener('visibilitychange', check)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', check)
    }
  }, [])
  return (
    <div role="status">
      {isMaintained.value && (
        <p class="notice warn banner">
          <span class="grow">{isAdmin.value ? t.forAdmins : t.forUsers}</span>
          {isAdmin.value && <a href={href('/admin/settings')}>{t.settings}</a>}
        </p>
      )}
    </div>
  )
}
