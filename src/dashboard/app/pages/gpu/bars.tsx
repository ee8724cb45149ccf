import { texts } from '../../lib/language.ts'
import { Progress } from '../../ui/parts.tsx'

const t = texts({
  en: { of: (name: string, what: string) => `${name}, ${what}` },
  zh: { of: (name: string, what: string) => `${what} ${name}` },
})

interface Bar {
  name: string
  percent: number
  text: string
}

/** Present figures, each with its bar. @param of what they are about, for screen readers */
export const Bars = ({ of, bars }: { of: string; bars: readonly Bar[] }) => (
  <div class="gpu-bars small">
    {bars.map(({ name, percent, text }) => (
      <>
        <span class="muted">{name}</span>
        <Progress value={percent} label={t.of(name, of)} />
        <span class="number">{text}</span>
      </>
    ))}
  </div>
)
