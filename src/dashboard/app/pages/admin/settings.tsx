/** What administrators decide: limits and prices of the factory, and the settings of the photo site. */
import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { changed } from '../../lib/changed.ts'
import { useEdits } from '../../lib/edits.ts'
import { texts } from '../../lib/language.ts'
import { api } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'
import { useTopic, useView } from '../../lib/view.ts'
import { Button } from '../../ui/button.tsx'
import { confirm } from '../../ui/dialog.tsx'
import { Form } from '../../ui/form.tsx'
import { Card, Loaded, PageHead, Progress } from '../../ui/parts.tsx'
import { SettingField, type SettingValue, settingOf, settingText, settingTexts } from './setting-field.tsx'
import { SystemSettings } from './settings-system.tsx'

const t = texts({
  en: {
    title: 'Settings',
    save: 'Save',
    saved: 'Saved.',
    reset: 'Reset to defaults',
    resetTitle: 'Reset all settings of the photo site?',
    watermark: 'Photos follow the watermark',
  },
  zh: {
    title: '设置',
    save: '保存',
    saved: '已保存。',
    reset: '恢复默认',
    resetTitle: '恢复照片站点的所有默认设置？',
    watermark: '照片正在更新水印',
  },
})

export default function Settings() {
  return (
    <>
      <PageHead title={t.title} />
      <SystemSettings />
      <Site />
    </>
  )
}

type SiteSettings = Record<string, Record<string, SettingValue>>

function Site() {
  const view = useView({
    load: async (signal) => (await dataOf(api().portfolio.settings.get({ signal }))).data as SiteSettings,
  })
  const watermark = useTopic('settings:watermark')
  const resets = useSignal(0)
  const reset = async () => {
    if (!(await confirm(t.resetTitle, { yes: t.reset }))) return
    await dataOf(api().portfolio.settings.reset.post({ categories: ['all'], confirm: true }))
    await view.reload()
    resets.value++
  }
  return (
    <Loaded view={view}>
      {(settings) => (
        <>
          {watermark?.status === 'running' && (
            <Card title={t.watermark}>
              <Progress value={watermark.percent} label={t.watermark} />
            </Card>
          )}
          {Object.entries(settings).map(([category, values]) => (
            <Category
              key={`${category} ${resets.value}`}
              category={category}
              values={values}
              onSaved={(saved) => view.update(() => saved)}
            />
          ))}
          <div>
            <Button kind="danger" onClick={reset}>
              {t.reset}
            </Button>
          </div>
        </>
      )}
    </Loaded>
  )
}

function Category({
  category,
  values,
  onSaved,
}: {
  category: string
  values: Record<string, SettingValue>
  onSaved: (settings: SiteSettings) => void
}) {
  const names = Object.keys(values)
  const { now, shown, edit, saved } = useEdits(
    Object.fromEntries(names.map((name) => [name, settingText(values[name]!)])),
  )
  const save = async () => {
    const next = Object.fromEntries(names.map((name) => [name, settingOf(shown[name]!, values[name]!)]))
    const { data } = await dataOf(api().portfolio.settings.put({ [category]: changed(next, values) }))
    onSaved(data as SiteSettings)
    saved(now)
    showToast('good', t.saved)
  }
  return (
    <Card title={settingTexts()[category] ?? category}>
      <Form submit={t.save} onSubmit={save}>
        {(errors) => (
          <div class="fields">
            {Object.entries(values).map(([name, value]) => (
              <SettingField
                key={name}
                category={category}
                name={name}
                value={value}
                text={shown[name]!}
                error={errors[`${category}.${name}`]}
                onInput={(text) => edit({ [name]: text })}
              />
            ))}
          </div>
        )}
      </Form>
    </Card>
  )
}
