import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { duration } from '../../lib/format.ts'

/** How long something has taken, or has been going on until now. */
export function Elapsed({ from, to }: { from: string; to: string | null }) {
  const now = useSignal(Date.now())
  const isOver = to !== null
  useEffect(() => {
    if (isOver) return undefined
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 1000)
    return () => clearInterval(timer)
  }, [isOver])
  const end = isOver ? Date.parse(to) : now.value
  return <span class="number">{duration(Math.max(0, end - Date.parse(from)) / 1000)}</span>
}
