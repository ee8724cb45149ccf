/** The ways to hand files to a page: dropping them anywhere on it, and a button unless the page is about something else. */
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../lib/language.ts'
import { showError } from '../lib/toasts.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { UploadDialog } from './dialog.tsx'
import { accepted, type Checked, checkFile, photoLimits } from './limits.ts'

const t = texts({
  en: { upload: 'Upload', drop: 'Drop the files to upload them' },
  zh: { upload: '上传', drop: '松开即可上传文件' },
})

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true

export function UploadChooser({ button = true }: { button?: boolean }) {
  const input = useRef<HTMLInputElement>(null)
  const isOver = useSignal(false)
  const chosen = useSignal<{ files: Checked[]; publishes: boolean } | undefined>(undefined)

  const take = async (files: readonly File[]) => {
    if (files.length === 0) return
    const limits = await photoLimits()
    // The dialog may be open already, with files that were dropped before.
    const before = chosen.peek()?.files ?? []
    const checked = files.map((file) => checkFile(file, limits))
    chosen.value = { files: [...before, ...checked], publishes: limits.publishes }
  }

  // In a layout effect, because the browser itself opens a file that is dropped before these handlers exist.
  useLayoutEffect(() => {
    const ended = new AbortController()
    const on = (type: 'dragenter' | 'dragover' | 'dragleave' | 'drop', handler: (event: DragEvent) => void) =>
      addEventListener(type, (event) => hasFiles(event) && handler(event), { signal: ended.signal })
    on('dragenter', () => {
      isOver.value = true
    })
    // Without this the browser opens the file in place of the page.
    on('dragover', (event) => event.preventDefault())
    on('dragleave', (event) => {
      if (event.relatedTarget === null) isOver.value = false
    })
    on('drop', (event) => {
      event.preventDefault()
      isOver.value = false
      take([...event.dataTransfer!.files]).catch(showError)
    })
    return () => ended.abort()
  }, [])

  return (
    <>
      {button && (
        <>
          <Button kind="primary" icon="upload" onClick={() => input.current?.click()}>
            {t.upload}
          </Button>
          <input
            ref={input}
            type="file"
            multiple
            hidden
            accept={accepted()}
            onChange={() => {
              const files = [...input.current!.files!]
              // The same files can be chosen again.
              input.current!.value = ''
              take(files).catch(showError)
            }}
          />
        </>
      )}
      {isOver.value && (
        <div class="drop-zone">
          <Icon name="upload" size={48} />
          {t.drop}
        </div>
      )}
      {chosen.value && (
        <UploadDialog
          {...chosen.value}
          onClose={() => {
            chosen.value = undefined
          }}
        />
      )}
    </>
  )
}
