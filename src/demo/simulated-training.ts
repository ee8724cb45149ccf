/** A task that takes time and prints what a training would print. It trains nothing. */
import { reportLog, reportProgress, runTask } from '../node/builtin/task-io.ts'

await runTask(async ({ epochs = 8, seconds = 40 }) => {
  const count = Number(epochs)
  let loss = 2.4
  for (let epoch = 1; epoch <= count; epoch++) {
    await Bun.sleep((Number(seconds) * 1000) / count)
    loss *= 0.62 + Math.random() * 0.2
    reportProgress((epoch / count) * 100, `epoch ${epoch}/${count}`)
    reportLog(`epoch ${epoch}: loss ${loss.toFixed(4)} (simulated)`)
  }
  return { simulated: true, epochs: count, loss: Number(loss.toFixed(4)) }
})
