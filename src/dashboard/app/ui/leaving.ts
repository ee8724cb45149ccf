import { texts } from '../lib/language.ts'
import { forgetTyped, hasUnsaved } from '../lib/unsaved.ts'
import { confirm } from './dialog.tsx'

const t = texts({
  en: {
    title: 'Leave without saving?',
    text: 'What you have typed on this page will be lost.',
    yes: 'Leave without saving',
  },
  zh: { title: '不保存就离开？', text: '此页填写的内容将会丢失。', yes: '不保存并离开' },
})

/**
 * Asks before a link, or the browser's “back” or “forward”, leads away from a page in which the user has typed something. Browsers
 * without the Navigation API ask nothing. Before a page of another site `beforeunload` asks.
 */
export function askBeforeLeaving(): void {
  if (!('navigation' in window)) return
  let isAsking = false
  navigation.addEventListener('navigate', async (event) => {
    const { cancelable, navigationType, destination } = event
    const leaves = navigationType === 'push' || navigationType === 'traverse'
    if (!leaves || !cancelable || !destination.sameDocument || !hasUnsaved()) return
    event.preventDefault()
    if (isAsking) return
    isAsking = true
    const isGiven = await confirm(t.title, { text: t.text, yes: t.yes })
    isAsking = false
    if (!isGiven) return
    forgetTyped()
    if (navigationType === 'traverse') navigation.traverseTo(destination.key)
    else location.href = destination.url
  })
}
