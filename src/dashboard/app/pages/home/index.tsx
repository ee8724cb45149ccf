import { texts } from '../../lib/language.ts'
import { me } from '../../lib/session.ts'
import { PageHead } from '../../ui/parts.tsx'

const t = texts({
  en: { hello: (name: string) => `Hello, ${name}` },
  zh: { hello: (name: string) => `你好，${name}` },
})

export default function Home() {
  return <PageHead title={t.hello(me.value?.full_name ?? '')} />
}
