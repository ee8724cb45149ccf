/** What a page of the dashboard does to the browser: when it can be used, what blocks it, the memory that it keeps. */
import type { CDPSession, Page } from 'playwright-core'

/** Runs in the page before anything else. */
export const PROBE = `
  window.probe = { heading: 0, tasks: [] }
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) probe.tasks.push({ startTime, duration })
  }).observe({ type: 'longtask', buffered: true })
  new MutationObserver((_, observer) => {
    if (!document.querySelector('#content h1')) return
    probe.heading = performance.now()
    observer.disconnect()
  }).observe(document, { childList: true, subtree: true })
`

interface LongTask {
  startTime: number
  duration: number
}

/** The browser gathers long tasks, and tells of them a little later. */
const TELL_MS = 1500

/** From the start of the navigation until the page has its heading and nothing blocks it, in milliseconds. */
export async function timeToInteractive(page: Page): Promise<number> {
  await page.locator('#content h1').waitFor()
  await Bun.sleep(TELL_MS)
  const { heading, tasks } = (await page.evaluate('probe')) as { heading: number; tasks: LongTask[] }
  return Math.max(heading, ...tasks.map(({ startTime, duration }) => startTime + duration))
}

/** The longest task during some work in milliseconds; 0 when none took the 50 ms that make a task long. */
export async function longestTask(page: Page, work: () => Promise<void>): Promise<number> {
  await page.evaluate('probe.tasks.length = 0')
  await work()
  await Bun.sleep(TELL_MS)
  const tasks = (await page.evaluate('probe.tasks')) as LongTask[]
  return Math.max(0, ...tasks.map(({ duration }) => duration))
}

/** Bytes of the JavaScript heap that are in use, after garbage has been collected. */
export async function heapOf(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage')
  return (await devtools.send('Runtime.getHeapUsage')).usedSize
}
