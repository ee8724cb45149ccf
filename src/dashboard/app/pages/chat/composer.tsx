import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { texts } from '../../lib/language.ts'
import { showError } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'

const t = texts({
  en: {
    label: 'Message',
    placeholder: 'Ask the agent…',
    hint: 'Enter sends, Shift+Enter begins a new line',
    send: 'Send',
    stop: 'Stop',
  },
  zh: {
    label: '消息',
    placeholder: '问问助手…',
    hint: 'Enter 发送，Shift+Enter 换行',
    send: '发送',
    stop: '停止',
  },
})

const MAX_LENGTH = 8000

interface Props {
  draft: Signal<string>
  isRunning: boolean
  onSend: (text: string) => Promise<void>
  onStop: () => Promise<void>
}

export function Composer({ draft, isRunning, onSend, onStop }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  const busy = useSignal(false)
  useEffect(() => {
    // On a touch screen the focus would open the keyboard over the page.
    if (matchMedia('(pointer: fine)').matches) area.current?.focus({ preventScroll: true })
  }, [])
  const send = async () => {
    const text = draft.peek().trim()
    if (text === '' || isRunning || busy.peek()) return
    busy.value = true
    draft.value = ''
    try {
      await onSend(text)
    } catch (error) {
      if (draft.peek() === '') draft.value = text
      throw error
    } finally {
      busy.value = false
      area.current?.focus({ preventScroll: true })
    }
  }
  const key = (event: KeyboardEvent) => {
    // Enter also takes a word of an input method, such as Pinyin. Safari says so only by the key code.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
    event.preventDefault()
    send().catch(showError)
  }
  return (
    <div class="composer">
      <textarea
        ref={area}
        rows={1}
        aria-label={t.label}
        aria-describedby="composer-hint"
        placeholder={t.placeholder}
        maxLength={MAX_LENGTH}
        value={draft.value}
        onInput={(event) => {
          draft.value = event.currentTarget.value
        }}
        onKeyDown={key}
      />
      {isRunning ? (
        <Button icon="stop" onClick={onStop}>
          {t.stop}
        </Button>
      ) : (
        <Button kind="primary" icon="send" disabled={draft.value.trim() === ''} onClick={send}>
          {t.send}
        </Button>
      )}
      <span id="composer-hint" class="small muted">
        {t.hint}
      </span>
    </div>
  )
}
