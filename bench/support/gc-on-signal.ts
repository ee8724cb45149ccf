/** Preloaded into a server that is measured: SIGUSR2 collects garbage. */
process.on('SIGUSR2', () => Bun.gc(true))
