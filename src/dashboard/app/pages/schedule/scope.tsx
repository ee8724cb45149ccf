import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { change, type Entry, ownFields, takeOut } from './entries.ts'
import { type Span, seriesChange } from './moves.ts'

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

interface Props {
  entry: Entry
  to: Span
  onDone: () => void
  onClose: () => void
}

/** Asks what a move of an occurrence means, and does it. */
export function ScopeDialog({ entry, to, onDone, onClose }: Props) {
  const series = seriesChange(entry, to)
  const answer = (act: () => Promise<unknown>) => async () => {
    await act()
    onClose()
    onDone()
  }
  const one = () => takeOut(entry, { ...ownFields(entry), ...to, status: entry.status })
  return (
    <Dialog title={t.title(entry.title)} onClose={onClose}>
      <p>{series ? t.text : t.fixed}</p>
      <div class="dialog-actions">
        <Button kind="plain" onClick={onClose}>
          {t.cancel}
        </Button>
        {series && <Button onClick={answer(() => change(entry.id, series))}>{t.all}</Button>}
        <Button kind="primary" onClick={answer(one)}>
          {t.one}
        </Button>
      </div>
    </Dialog>
  )
}
