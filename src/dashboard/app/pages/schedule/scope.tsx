import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'

const t = texts({
  en: {
    title: (title: string) => `Move “${title}”`,
    text: 'This appointment repeats. Move only this one, or all of them?',
    fixed: 'Its rule names other days than the new one. To move all of them, edit the rule.',
    one: 'Only this one',
    all: 'All of them',
    cancel: 'Cancel',
  },
  zh: {
    title: (title: string) => `移动“${title}”`,
    text: '这是重复的日程。移动这一次，还是全部？',
    fixed: '其规则指定了其他日期。要移动全部，请编辑规则。',
    one: '仅这一次',
    all: '全部',
    cancel: '取消',
  },
})

/** Asks what a move of an occurrence means. @param canMoveAll whether the rule of the series can follow */
export const ScopeDialog = ({
  title,
  canMoveAll,
  onOne,
  onAll,
  onClose,
}: {
  title: string
  canMoveAll: boolean
  onOne: () => Promise<void>
  onAll: () => Promise<void>
  onClose: () => void
}) => (
  <Dialog title={t.title(title)} onClose={onClose}>
    <p>{canMoveAll ? t.text : t.fixed}</p>
    <div class="dialog-actions">
      <Button kind="plain" onClick={onClose}>
        {t.cancel}
      </Button>
      {canMoveAll && <Button onClick={onAll}>{t.all}</Button>}
      <Button kind="primary" onClick={onOne}>
        {t.one}
      </Button>
    </div>
  </Dialog>
)
